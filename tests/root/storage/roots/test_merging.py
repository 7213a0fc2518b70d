from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wharf.storage.overlay_marks import make_whiteout, mark_opaque
from wharf.storage.roots.merging import merge
from wharf.storage.trees import FOLDER

pytestmark = pytest.mark.root


def merged(layer: Path, target: Path) -> None:
    fds = os.open(layer, FOLDER), os.open(target, FOLDER)
    try:
        merge(*fds)
    finally:
        for fd in fds:
            os.close(fd)


def shown(top: Path) -> list[str]:
    return sorted(str(path.relative_to(top)) for path in top.rglob("*"))


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    layer, target = tmp_path / "layer", tmp_path / "target"
    layer.mkdir()
    target.mkdir()
    return layer, target


def mark(folder: Path, *, opaque: bool = False, deleted: str = "") -> None:
    fd = os.open(folder, FOLDER)
    try:
        if opaque:
            mark_opaque(fd)
        if deleted:
            make_whiteout(deleted.encode(), fd)
    finally:
        os.close(fd)


def test_marks_delete_and_hide_and_leave_none_behind(trees: tuple[Path, Path]) -> None:
    layer, target = trees
    for name in ("gone/f", "hidden/below", "kept/f"):
        (target / name).parent.mkdir()
        (target / name).touch()
    (layer / "hidden").mkdir()
    (layer / "hidden/above").touch()
    mark(layer / "hidden", opaque=True)
    mark(layer, deleted="gone")
    merged(layer, target)

    assert shown(target) == ["hidden", "hidden/above", "kept", "kept/f"]
    assert os.listxattr(target / "hidden") == []


def test_kinds_replace_each_other_both_ways(trees: tuple[Path, Path]) -> None:
    layer, target = trees
    (target / "was folder/inner").mkdir(parents=True)
    (target / "was link").symlink_to("/etc")
    (layer / "was folder").write_text("file")
    (layer / "was link").mkdir()
    (layer / "was link/passwd").write_text("inside")
    merged(layer, target)

    assert (target / "was folder").read_text() == "file"
    assert not (target / "was link").is_symlink()
    assert (target / "was link/passwd").read_text() == "inside"


def test_what_belongs_to_a_name_comes_along(trees: tuple[Path, Path]) -> None:
    layer, target = trees
    (layer / "d").mkdir()
    (layer / "d/f").write_bytes(b"x" * 100_000)
    os.link(layer / "d/f", layer / "d/same")
    os.mknod(layer / "d/null", stat.S_IFCHR, os.makedev(1, 3))
    os.mkfifo(layer / "d/fifo")
    os.chown(layer / "d/f", 5, 6)
    (layer / "d/f").chmod(0o4711)
    os.setxattr(layer / "d/f", "user.k", b"v")
    for name in ("d/f", "d"):
        os.utime(layer / name, ns=(1_000_000_001, 2_000_000_003))
    merged(layer, target)
    status = (target / "d/f").stat()

    assert (target / "d/f").read_bytes() == b"x" * 100_000
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (5, 6, 0o4711)
    assert (status.st_mtime_ns, (target / "d").stat().st_mtime_ns) == (2_000_000_003, 2_000_000_003)
    assert os.getxattr(target / "d/f", "user.k") == b"v"
    assert status.st_ino == (target / "d/same").stat().st_ino != (layer / "d/f").stat().st_ino
    assert (target / "d/null").stat().st_rdev == os.makedev(1, 3)
    assert stat.S_ISFIFO((target / "d/fifo").stat().st_mode)


def test_a_socket_with_two_names_is_left_out(trees: tuple[Path, Path]) -> None:
    layer, target = trees
    os.mknod(layer / "one", stat.S_IFSOCK | 0o600)
    os.link(layer / "one", layer / "two")
    merged(layer, target)

    assert shown(target) == []
