from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wharf.storage.node_copies import Parents, copy_node, copy_or_link, dress
from wharf.storage.overlay_marks import opaque_attribute
from wharf.storage.trees import FOLDER, opened_folder, walk

pytestmark = pytest.mark.root
WHEN = 1_000_000_000_000_000_003


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
    return tmp_path / "source"


def copied(source: Path, *, keep_marks: bool = False) -> Path:
    target = source.parent / "target"
    firsts: dict[int, bytes] = {}
    with opened_folder(source) as top, opened_folder(target) as into:
        for node in walk(top):
            if stat.S_ISDIR(node.status.st_mode):
                os.mkdir(node.name, dir_fd=into)
                dress(node, into, keep_marks=keep_marks)
            else:
                copy_or_link(node, into, into, firsts, keep_marks=keep_marks)
    return target


@pytest.mark.parametrize("keep_marks", [False, True])
def test_marks_of_overlay_are_kept_where_the_copy_is_a_layer(source: Path, *, keep_marks: bool) -> None:
    (source / "d").mkdir()
    (source / "f").touch()
    for name in ("d", "f"):
        os.setxattr(source / name, opaque_attribute(), b"y")
        os.setxattr(source / name, "user.k", b"v")
    target = copied(source, keep_marks=keep_marks)

    expected = sorted(["user.k", opaque_attribute()] if keep_marks else ["user.k"])
    assert [sorted(os.listxattr(target / name)) for name in ("d", "f")] == [expected, expected]


def test_a_copy_has_owner_mode_and_time(source: Path) -> None:
    (source / "f").write_text("content")
    (source / "link").symlink_to("/nowhere")
    os.mkfifo(source / "fifo")
    for name in ("f", "link", "fifo"):
        os.chown(source / name, 7, 8, follow_symlinks=False)
        os.utime(source / name, ns=(WHEN, WHEN), follow_symlinks=False)
    (source / "f").chmod(0o4711)
    target = copied(source)

    for name in ("f", "link", "fifo"):
        status, theirs = (target / name).lstat(), (source / name).lstat()
        assert (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns) == (theirs.st_mode, 7, 8, WHEN)
        assert status.st_ino != theirs.st_ino
    assert ((target / "f").read_text(), str((target / "link").readlink())) == ("content", "/nowhere")


def test_names_of_one_file_are_names_of_one_copy(source: Path) -> None:
    (source / "one").touch()
    os.link(source / "one", source / "two")
    target = copied(source)

    assert (target / "one").samefile(target / "two")


def test_a_socket_is_left_out_by_all_its_names(source: Path) -> None:
    os.mknod(source / "one", stat.S_IFSOCK | 0o600)
    os.link(source / "one", source / "two")

    assert list(copied(source).iterdir()) == []


def test_a_link_at_the_place_of_a_copy_is_not_written_through(source: Path) -> None:
    (source / "f").write_text("content")
    (source.parent / "outside").touch()
    (source.parent / "target/f").symlink_to(source.parent / "outside")
    with opened_folder(source) as top, opened_folder(source.parent / "target") as into:
        nodes = walk(top)
        with pytest.raises(FileExistsError):
            copy_node(next(nodes), into)
        nodes.close()

    assert (source.parent / "outside").read_text() == ""


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "top").mkdir()
    (tmp_path / "top/d").symlink_to(tmp_path / "outside")
    fd = os.open(tmp_path / "top", FOLDER)
    parents = Parents(fd)
    try:
        with pytest.raises(OSError, match="Not a directory"):
            parents.of(b"d/f")
    finally:
        parents.close()
        os.close(fd)
