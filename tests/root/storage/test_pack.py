from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from wharf.errors import InvalidArgument
from wharf.storage.copying import copy_content
from wharf.storage.diff import unpack
from wharf.storage.overlay_marks import make_whiteout, mark_opaque
from wharf.storage.pack import pack
from wharf.storage.tar_reader import TarReader

pytestmark = pytest.mark.root


def fill(path: Path) -> None:
    (path / "d").mkdir()
    (path / "d/f").write_bytes(b"content")
    (path / "d/f").chmod(0o4711)
    os.chown(path / "d/f", 5, 6)
    os.setxattr(path / "d/f", "user.k", b"v\0")
    os.link(path / "d/f", path / "d/link")
    (path / "s").symlink_to("../outside")
    os.mknod(path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mkfifo(path / "p")
    (path / os.fsdecode(b"\xff")).write_bytes(b"")
    for file in ("d/f", "d"):
        os.utime(path / file, (1000, 1000))


def names(data: bytes) -> list[bytes]:
    return [entry.name for entry in TarReader(io.BytesIO(data))]


def packed(path: Path, *, overlay: bool) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        pack(fd, buffer := io.BytesIO(), overlay=overlay)
    finally:
        os.close(fd)
    return buffer.getvalue()


def test_what_is_packed_unpacks_to_the_same(tmp_path: Path, layer: int) -> None:
    (tmp_path / "source").mkdir()
    fill(tmp_path / "source")
    archive = packed(tmp_path / "source", overlay=False)
    unpack(io.BytesIO(archive), layer)

    assert packed(tmp_path / "layer", overlay=False) == archive
    assert (tmp_path / "layer/d/f").stat().st_nlink == 2
    assert os.getxattr(tmp_path / "layer/d/f", "user.k") == b"v\0"


def test_overlays_marks_become_the_archives_and_back(tmp_path: Path, layer: int) -> None:
    make_whiteout(b"gone", layer)
    os.mkdir("d", dir_fd=layer)
    inner = os.open("d", os.O_RDONLY, dir_fd=layer)
    mark_opaque(inner)
    os.close(inner)
    archive = packed(tmp_path / "layer", overlay=True)

    assert names(archive) == [b"d/", b"d/.wh..wh..opq", b".wh.gone"]
    (tmp_path / "again").mkdir()
    fd = os.open(tmp_path / "again", os.O_RDONLY)
    unpack(io.BytesIO(archive), fd)
    os.close(fd)
    assert packed(tmp_path / "again", overlay=True) == archive


def test_the_marks_of_fuse_overlayfs_are_the_archives_own(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/f").touch()
    (tmp_path / "d/.wh..wh..opq").touch()
    os.mknod(tmp_path / "d/.wh..opq", stat.S_IFCHR, 0)

    assert names(packed(tmp_path, overlay=True)) == [b"d/", b"d/.wh..wh..opq", b"d/f"]


def test_content_is_copied_whole(tmp_path: Path, layer: int) -> None:
    (tmp_path / "source").mkdir()
    fill(tmp_path / "source")
    fd = os.open(tmp_path / "source", os.O_RDONLY)
    copy_content(fd, layer)
    copy_content(fd, layer)
    os.close(fd)

    assert packed(tmp_path / "layer", overlay=False) == packed(tmp_path / "source", overlay=False)


def test_a_copy_into_a_removed_folder_fails_and_leaves_no_thread(tmp_path: Path, layer: int) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/big").write_bytes(bytes(1 << 20))
    (tmp_path / "layer").rmdir()
    fd = os.open(tmp_path / "source", os.O_RDONLY)
    try:
        with pytest.raises(InvalidArgument, match="big"):
            copy_content(fd, layer)
    finally:
        os.close(fd)


def test_all_entries_can_have_one_time(tmp_path: Path) -> None:
    fill(tmp_path)
    sink = io.BytesIO()
    fd = os.open(tmp_path, os.O_RDONLY)
    pack(fd, sink, overlay=False, mtime_ns=7 * 10**9)
    os.close(fd)
    sink.seek(0)

    assert {entry.mtime_ns for entry in TarReader(sink)} == {7 * 10**9}
