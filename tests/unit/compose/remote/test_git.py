from __future__ import annotations

import os
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.compose.load.located import ComposeError
from wharf.compose.remote.git import GitSource, bring_commit, chosen, git_source
from wharf.errors import NotFound, WharfError


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://host/a.git", GitSource("https://host/a.git", "", "")),
        ("https://host/a.git#v1:sub/./x", GitSource("https://host/a.git", "v1", "sub/x")),
        ("git@host:me/a.git#main", GitSource("git@host:me/a.git", "main", "")),
        ("ssh://git@host/a#:sub", GitSource("ssh://git@host/a", "", "sub")),
        ("git://host/a", GitSource("git://host/a", "", "")),
        ("github.com/me/a#main", GitSource("https://github.com/me/a", "main", "")),
        ("https://host/compose.yaml", None),
        ("./dir/a.git", None),
        ("/srv/a.git", None),
        ("file:///srv/a.git", None),
        ("compose@home.yaml", None),
    ],
)
def test_addresses_of_repositories_are_known(address: str, expected: GitSource | None) -> None:
    assert git_source(address) == expected


@pytest.mark.parametrize(
    "address", ["git://h/a#--upload-pack=x", "git://h/a#m:../x", "git://h/a#m:/etc", "git://h/a#m:a/../../x"]
)
def test_addresses_that_lead_elsewhere_are_refused(address: str) -> None:
    with pytest.raises(ComposeError):
        git_source(address)


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve repositories below a folder by git's own protocol on loopback; gives the address of ``app``."""
    folder = tmp_path_factory.mktemp("git")
    app = folder / "app"
    app.mkdir()

    def git(*words: str) -> None:
        who = ("-c", "user.name=x", "-c", "user.email=x@x")
        subprocess.run(["git", *who, "-C", str(app), *words], check=True, capture_output=True)

    git("init", "-b", "main")
    (app / "compose.yaml").write_text("name: one\n")
    git("add", ".")
    git("commit", "-m", "one")
    git("tag", "-a", "v1", "-m", "v1")
    (app / "sub").mkdir()
    (app / "sub/docker-compose.yml").write_text("name: sub\n")
    (app / "other.yaml").write_text("name: other\n")
    (app / "leak.yaml").symlink_to("/etc/hostname")
    (app / "out").symlink_to("/etc")
    git("add", ".")
    git("commit", "-m", "two")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            daemon = ["git", "daemon", "--inetd", "--export-all", f"--base-path={folder}", str(folder)]
            subprocess.run(daemon, stdin=self.request, stdout=self.request, stderr=subprocess.DEVNULL, check=False)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"git://127.0.0.1:{server.server_address[1]}/app"
    server.shutdown()
    thread.join()
    server.server_close()


def bring(address: str, cache: Path) -> Path:
    source = git_source(address)
    assert source is not None
    return Path(bring_commit(source, str(cache), {"PATH": os.environ["PATH"], "HOME": str(cache)}))


def test_files_are_found_at_branches_tags_folders_and_by_name(repositories: str, tmp_path: Path) -> None:
    read = {end: bring(repositories + end, tmp_path).read_text()
            for end in ("", "#main", "#v1", "#main:sub", "#:other.yaml")}  # fmt: skip

    assert list(read.values()) == ["name: one\n", "name: one\n", "name: one\n", "name: sub\n", "name: other\n"]
    assert len([name for name in os.listdir(tmp_path) if name.startswith("git-")]) == 2
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".new-")]


def test_links_do_not_lead_out_of_the_repository(repositories: str, tmp_path: Path) -> None:
    for end in ("#main:leak.yaml", "#main:out/hostname"):
        with pytest.raises(ComposeError, match="leads out of the repository"):
            bring(repositories + end, tmp_path)


def test_what_is_not_there_is_told(repositories: str, tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="does not contain ref none"):
        bring(f"{repositories}#none", tmp_path)
    with pytest.raises(ComposeError, match="no Compose file in nowhere"):
        bring(f"{repositories}#main:nowhere", tmp_path)
    with pytest.raises(WharfError, match="failed to access repository"):
        bring(repositories.replace("/app", "/none"), tmp_path)


def test_git_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotFound, match="not installed"):
        bring_commit(GitSource("git://h/a", "", ""), str(tmp_path), {})


def test_a_branch_whose_name_ends_with_the_one_asked_for_is_not_taken() -> None:
    one, other = "1" * 40, "2" * 40

    assert chosen(f"{other}\trefs/heads/feature/main\n{one}\trefs/heads/main\n", "main") == one
    assert chosen(f"{other}\trefs/tags/v1\n{one}\trefs/tags/v1^{{}}\n", "v1") == one
    with pytest.raises(ComposeError, match="does not contain ref main"):
        chosen(f"{other}\trefs/heads/feature/main\n", "main")
