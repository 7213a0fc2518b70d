from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from wharf.build.graph.operations import Source
from wharf.build.operations.git import Request, checkout, request_of
from wharf.errors import InvalidArgument, NotFound, Unavailable

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "r.git"
    path.mkdir()
    (path / "sub").mkdir()
    (path / "sub/f").write_text("1")
    (path / "run").write_text("#!")
    (path / "run").chmod(0o700)
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-qm", "1"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=path, check=True)
    (path / "sub/f").write_text("2")
    subprocess.run(["git", *who, "commit", "-qam", "2"], cwd=path, check=True)
    return path


@needs_git
def test_a_ref_is_checked_out_without_its_history(repository: Path, tmp_path: Path) -> None:
    checkout(Request(f"file://{repository}", "v1"), tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["run", "sub"]
    assert (tmp_path / "out/sub/f").read_text() == "1"
    assert [oct((tmp_path / "out" / n).stat().st_mode & 0o777) for n in ("run", "sub/f")] == ["0o755", "0o644"]


@needs_git
def test_files_have_the_commits_time_where_that_is_asked_for(repository: Path, tmp_path: Path) -> None:
    words = ["git", "log", "-1", "--format=%ct"]
    time_s = int(subprocess.run(words, cwd=repository, check=True, stdout=subprocess.PIPE).stdout)
    (repository / "run").touch()
    source = Source(f"git://file://{repository}#main", (("git.mtime", "commit"),))

    assert checkout(request_of(source), tmp_path / "out").time_s == time_s
    assert {path.stat().st_mtime for path in ((tmp_path / "out"), *(tmp_path / "out").rglob("*"))} == {time_s}


@needs_git
def test_a_folder_alone_can_be_taken_and_the_history_kept(repository: Path, tmp_path: Path) -> None:
    commit = checkout(Request(f"file://{repository}", "main", "/sub"), tmp_path / "a")
    checkout(Request(f"file://{repository}", checksum=commit.name[:8], keep_git_dir=True), tmp_path / "b")

    assert (tmp_path / "a/f").read_text() == "2"
    assert (tmp_path / "b/.git").is_dir()


@needs_git
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"ref": "none"}, (NotFound, Unavailable)),
        ({"folder": "none"}, NotFound),
        ({"folder": "../../etc"}, NotFound),
        ({"checksum": "0000"}, InvalidArgument),
        ({"remote": "file:///none"}, Unavailable),
    ],
)
def test_what_is_not_there_is_told(
    repository: Path, tmp_path: Path, change: dict[str, str], kind: type[Exception]
) -> None:
    asked = {"remote": f"file://{repository}", **change}

    with pytest.raises(kind):
        checkout(Request(**asked), tmp_path / "out")  # type: ignore[arg-type]


def test_a_ref_that_could_be_an_option_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="invalid git ref"):
        request_of(Source("git://https://h/a.git#--upload-pack=x"))
    assert request_of(Source("git://https://h/a.git#v1:s", (("git.checksum", "a"),))) == Request(
        "https://h/a.git", "v1", "s", "a"
    )
