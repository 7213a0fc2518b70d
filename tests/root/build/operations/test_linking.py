from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wharf.build.operations.linking import link_tree
from wharf.storage.overlay_marks import opaque_attribute

pytestmark = pytest.mark.root
OLD, NEW, LATEST = 1_000_000_000_000_000_001, 1_700_000_000_000_000_001, 1_500_000_000_000_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    top = tmp_path / "source"
    (top / "d").mkdir(parents=True)
    (top / "d/new").write_text("new")
    os.chown(top / "d/new", 7, 8)
    (top / "d/new").chmod(0o4750)
    os.setxattr(top / "d/new", "user.k", b"v")
    os.link(top / "d/new", top / "again")
    (top / "d/old").write_text("old")
    (top / "link").symlink_to("/nowhere")
    os.mknod(top / "gone", stat.S_IFCHR, 0)
    for name in ("d/new", "link", "gone", "d", "d/old"):
        when = OLD if name == "d/old" else NEW
        os.utime(top / name, ns=(when, when), follow_symlinks=False)
    (tmp_path / "target").mkdir()
    return top


def test_everything_is_linked_and_folders_keep_their_time(source: Path, tmp_path: Path) -> None:
    link_tree(source, tmp_path / "target")

    for name in ("d/new", "d/old", "link", "gone"):
        assert (tmp_path / "target" / name).lstat().st_ino == (source / name).lstat().st_ino
    assert (tmp_path / "target/d").stat().st_mtime_ns == NEW


def test_what_is_younger_is_copied_with_all_but_its_time(source: Path, tmp_path: Path) -> None:
    link_tree(source, tmp_path / "target", LATEST)
    target = tmp_path / "target"

    new = (target / "d/new").stat()
    assert (new.st_mode & 0o7777, new.st_uid, new.st_gid, new.st_mtime_ns) == (0o4750, 7, 8, LATEST)
    assert (os.getxattr(target / "d/new", "user.k"), (target / "again").stat().st_ino) == (b"v", new.st_ino)
    assert (target / "d/old").stat().st_ino == (source / "d/old").stat().st_ino
    assert ((target / "link").readlink(), (target / "link").lstat().st_mtime_ns) == (Path("/nowhere"), LATEST)
    assert stat.S_ISCHR((target / "gone").stat().st_mode)
    assert (target / "d").stat().st_mtime_ns == LATEST
    assert (source / "d/new").stat().st_mtime_ns == NEW


def test_marks_of_a_layer_stay(source: Path, tmp_path: Path) -> None:
    os.setxattr(source / "d", opaque_attribute(), b"y")
    link_tree(source, tmp_path / "target", LATEST)

    assert os.getxattr(tmp_path / "target/d", opaque_attribute()) == b"y"


@pytest.mark.parametrize("latest", [None, LATEST])
def test_sockets_are_left_out(source: Path, tmp_path: Path, latest: int | None) -> None:
    os.mknod(source / "socket", stat.S_IFSOCK | 0o600)
    link_tree(source, tmp_path / "target", latest)

    assert not (tmp_path / "target/socket").exists()
