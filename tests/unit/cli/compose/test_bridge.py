from __future__ import annotations

from pathlib import Path

import pytest

from wharf.cli.compose.bridge import _checked, image_row
from wharf.cli.main import main
from wharf.compose.model.project import Project
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["docker.io/me/trans:1", "x:2"], ("me/trans", "1")),
        (["localhost:5000/trans:2"], ("localhost:5000/trans", "2")),
        ([], ("<none>", "<none>")),
    ],
)
def test_row_is_by_the_first_name(names: list[str], expected: tuple[str, str]) -> None:
    row = image_row({"Id": f"sha256:{'a' * 64}", "RepoTags": names, "Size": 1_982_469})

    assert (row["Repository"], row["Tags"]) == expected
    assert (row["ID"], row["Size"]) == ("a" * 12, "1.98MB")


def test_results_take_no_folders_place_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("a")
    project = Project(working_dir=str(tmp_path / "a/b"))

    assert _checked(str(tmp_path / "a/b/out"), project) == str(tmp_path / "a/b/out")
    for wrong in (tmp_path / "a/b", tmp_path / "a", tmp_path, Path("/")):
        with pytest.raises(InvalidArgument, match="name another folder"):
            _checked(str(wrong), project)
    for wrong in (tmp_path / "file", tmp_path / "link"):
        with pytest.raises(InvalidArgument, match="is no folder"):
            _checked(str(wrong), project)


def test_dry_run_says_what_would_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: busybox}}")
    monkeypatch.chdir(tmp_path)

    assert main(["compose", "bridge", "--dry-run", "convert", "--templates", "t"]) == 0
    line = capsys.readouterr().out
    assert line.endswith(f"-v {tmp_path}/out:/out -v {tmp_path}/t:/templates docker/compose-bridge-kubernetes\n")
    assert main(["compose", "bridge", "transformations", "create", "--dry-run", "new"]) == 0
    assert "templates of docker/compose-bridge-kubernetes" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["compose.yaml"]


def test_new_transformation_takes_nothings_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", "bridge", "transformations", "create", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"output folder {tmp_path} already exists\n"
