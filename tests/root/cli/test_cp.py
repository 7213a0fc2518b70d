"""Files in and out of containers, running and not: cp, export, diff, commit."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.root.wharfd import Cli

pytestmark = pytest.mark.root

IDLE = ("--network", "none", "busybox", "sleep", "100")


@pytest.fixture(params=["running", "stopped"])
def box(run: Cli, request: pytest.FixtureRequest) -> str:
    """A container with a file, a folder, symlinks and a volume."""
    run.ok("run", "-d", "--name", "box", "-v", "/vol", *IDLE)
    run.ok(
        *("exec", "box", "sh", "-c"),
        "echo file > /file; mkdir -p /dir/sub; echo in > /dir/sub/in; ln -s /dir /link; ln -s /gone /dangling; "
        "echo vol > /vol/file; chmod 4750 /file; ln /file /dir/hard",
    )
    if request.param == "stopped":
        run.ok("stop", "-t", "0", "box")
    return "box"


def _names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [entry.name + ("/" if entry.isdir() else "") for entry in tar]


def _to_stdout(run: Cli, *words: str) -> bytes:
    done = subprocess.run([*run.command, *words], env=run.environment, capture_output=True, check=True, timeout=60)
    return done.stdout


ARCHIVES = [
    ("/file", ["file"]),
    ("file", ["file"]),
    ("/dir", ["dir/", "dir/hard", "dir/sub/", "dir/sub/in"]),
    ("/dir/", ["dir/", "dir/hard", "dir/sub/", "dir/sub/in"]),
    ("/dir/.", ["./", "./hard", "./sub/", "./sub/in"]),
    ("/link", ["link"]),
    ("/link/", ["link/", "link/hard", "link/sub/", "link/sub/in"]),
    ("/link/sub", ["sub/", "sub/in"]),
    ("/dangling", ["dangling"]),
    ("/vol", ["vol/", "vol/file"]),
    ("/dir/../vol/file", ["file"]),
]


def test_an_archive_begins_with_the_last_name_of_the_path(run: Cli, box: str) -> None:
    found = [(path, _names(_to_stdout(run, "cp", f"{box}:{path}", "-"))) for path, _ in ARCHIVES]

    assert found == ARCHIVES


COPIES_OUT: list[tuple[tuple[str, ...], dict[str, str]]] = [
    (("box:/file", "new"), {"new": "file\n"}),
    (("box:/file", "there"), {"there/file": "file\n"}),
    (("box:/file", "."), {"file": "file\n"}),
    (("box:/dir", "new"), {"new/hard": "file\n", "new/sub/in": "in\n"}),
    (("box:/dir", "there"), {"there/dir/hard": "file\n", "there/dir/sub/in": "in\n"}),
    (("box:/dir/.", "there"), {"there/hard": "file\n", "there/sub/in": "in\n"}),
    (("box:/dir/.", "new"), {"new/hard": "file\n", "new/sub/in": "in\n"}),
    (("box:/link", "new"), {"new": "-> /dir"}),
    (("-L", "box:/link", "new"), {"new/hard": "file\n", "new/sub/in": "in\n"}),
    (("-L", "box:/link", "there"), {"there/link/hard": "file\n", "there/link/sub/in": "in\n"}),
    (("box:/vol/file", "old"), {"old": "vol\n"}),
]


def test_copies_out(run: Cli, box: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number, (words, _) in enumerate(COPIES_OUT):
        place = tmp_path / str(number)
        (place / "there").mkdir(parents=True)
        (place / "old").write_text("old")
        monkeypatch.chdir(place)
        run.ok("cp", *words)
        found.append((words, _files(place)))

    assert found == [(words, made if "old" in made else {**made, "old": "old"}) for words, made in COPIES_OUT]


def _files(top: Path) -> dict[str, str]:
    return {
        str(path.relative_to(top)): f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()
        for path in sorted(top.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_a_copy_keeps_mode_and_time(run: Cli, box: str, tmp_path: Path) -> None:
    run.ok("cp", f"{box}:/file", str(tmp_path))

    status = (tmp_path / "file").stat()
    assert (oct(status.st_mode & 0o7777), status.st_size) == ("0o4750", 5)


@pytest.mark.parametrize(
    ("words", "path", "content"),
    [
        (("file", "box:/new"), "/new", "local"),
        (("file", "box:/dir"), "/dir/file", "local"),
        (("file", "box:/dir/"), "/dir/file", "local"),
        (("file", "box:/file"), "/file", "local"),
        (("file", "box:/link"), "/dir/file", "local"),
        (("file", "box:/vol"), "/vol/file", "local"),
        (("folder", "box:/new"), "/new/inner/deep", "deep"),
        (("folder", "box:/dir"), "/dir/folder/inner/deep", "deep"),
        (("folder/.", "box:/dir"), "/dir/inner/deep", "deep"),
        (("-L", "symlink", "box:/new"), "/new", "local"),
    ],
)
def test_copies_in(
    run: Cli,
    box: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    path: str,
    content: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("local")
    (tmp_path / "folder/inner").mkdir(parents=True)
    (tmp_path / "folder/inner/deep").write_text("deep")
    (tmp_path / "symlink").symlink_to("file")

    run.ok("cp", *words)

    run("start", "box")
    assert run.ok("exec", "box", "cat", path) == content


REFUSALS = [
    (("box:/gone", "."), "Could not find the file /gone in container box"),
    (("nobody:/file", "."), "nobody"),
    (("file", "box:/gone/new"), "Could not find the file /gone in container box"),
    (("file", "box:/gone/"), "no such directory"),
    (("folder", "box:/file"), "cannot copy directory"),
    (("box:/dir", "file"), "cannot copy directory"),
    (("box:/file", "box:/other"), "copying between containers is not supported"),
    (("box:/file", "nowhere/there"), "does not exist"),
    (("-", "box:/file"), "must be a directory"),
]


def test_refuses(run: Cli, box: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("local")
    (tmp_path / "folder").mkdir()

    for words, said in REFUSALS:
        done = run("cp", *words)
        assert (done.code, said in done.err) == (1, True), (words, done)


def test_stdin_is_unpacked(run: Cli, box: str) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo(".wh.odd")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"odd\n"))

    run.ok("cp", "-", f"{box}:/dir", stdin=archive.getvalue())

    run("start", "box")
    assert run.ok("exec", "box", "cat", "/dir/.wh.odd") == "odd"


def test_a_symlink_of_the_container_leads_nowhere_else(run: Cli, box: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host")
    (tmp_path / "secret.new").write_text("stolen")
    run("start", "box")
    run.ok("exec", "box", "sh", "-c", f"ln -s / /root/up; ln -s ../../../../../../.. /rel; ln -s {tmp_path} /out")

    assert run("cp", f"{box}:/rel{secret}", "-").code == 1
    assert run("cp", f"{box}:/root/up{secret}", "-").code == 1
    assert run("cp", f"{box}:/out/secret", "-").code == 1
    assert run("cp", str(tmp_path / "secret.new"), f"{box}:/out/secret").code == 1
    assert secret.read_text() == "host"


def test_read_only_places_stay_as_they_are(run: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    run.ok("run", "-d", "--name", "ro", "--read-only", "-v", f"{tmp_path}:/mnt:ro", "-v", "/vol", *IDLE)

    for _ in range(2):
        into_root = run("cp", str(tmp_path / "file"), "ro:/new")
        into_mount = run("cp", str(tmp_path / "file"), "ro:/mnt/new")
        run.ok("cp", str(tmp_path / "file"), "ro:/vol/new")
        assert (into_root.code, "container rootfs is marked read-only" in into_root.err) == (1, True), into_root
        assert (into_mount.code, "mounted volume is marked read-only" in into_mount.err) == (1, True), into_mount
        run.ok("stop", "-t", "0", "ro")


def test_export_holds_the_root_without_volumes(run: Cli, box: str, tmp_path: Path) -> None:
    run.ok("export", "-o", str(tmp_path / "root.tar"), box)

    names = _names((tmp_path / "root.tar").read_bytes())
    assert {"file", "dir/", "dir/sub/in", "link", "bin/busybox", "vol/"} <= set(names)
    assert "vol/file" not in names
    assert names == [name.lstrip("/") for name in names]


def test_diff_lists_what_changed(run: Cli, box: str) -> None:
    run("start", box)
    run.ok("exec", box, "sh", "-c", "rm /etc/shadow; echo x >> /etc/passwd; rm -r /var; mkdir /var")

    changes = run.ok("diff", box).splitlines()

    assert {"A /file", "A /dir", "A /dir/sub", "A /dir/sub/in", "C /etc", "D /etc/shadow", "C /etc/passwd"} <= set(
        changes
    )
    assert not [line for line in changes if line[2:] in ("/dev", "/proc", "/etc/hosts", "/etc/resolv.conf")]


def test_commit_makes_an_image_of_the_changes(run: Cli, box: str) -> None:
    made = run.ok(*("commit", "-m", "why", "-a", "who", "-c", 'CMD ["cat", "/file"]', "-c", "ENV A=b"), box, "made:1")

    shown = run.ok("image", "inspect", "--format", "{{.Id}} {{.Author}} {{.Comment}} {{.Config.Cmd}}", "made:1")
    ran = run.ok("run", "--rm", "--network", "none", "made:1")
    env = run.ok("run", "--rm", "--network", "none", "made:1", "env")
    state = run.ok("inspect", "--format", "{{.State.Paused}}", box)
    run.ok("rm", "-f", "-v", box)
    run.ok("rmi", "made:1")

    assert shown == f"{made} who why [cat /file]"
    assert (ran, "A=b" in env.splitlines(), state) == ("file", True, "false")
