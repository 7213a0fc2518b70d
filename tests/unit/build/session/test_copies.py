from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from wharf.build.operations.selection import Digests
from wharf.build.session.copies import Copies
from wharf.build.session.entries import Entry
from wharf.errors import InvalidArgument, Unavailable


def _take(folder: Path, sources: list[tuple[str, Path]]) -> int:
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        entries = [Entry(name, stat.S_IFREG | 0o666, 0, 9) for name, _ in sources]
        return Copies(root, Digests()).take(entries, [os.open(path, os.O_RDONLY) for _, path in sources])
    finally:
        os.close(root)


def test_a_copy_is_dressed_as_the_entry_says(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"12")
    (tmp_path / "d").mkdir()

    assert _take(tmp_path / "d", [("a", tmp_path / "source"), ("b", tmp_path / "source")]) == 4
    status = (tmp_path / "d/b").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns, (tmp_path / "d/b").read_bytes()) == (0o666, 9, b"12")


def test_a_file_system_that_shares_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def cannot(fd: int, request: int, source: int) -> int:
        asked.append(request)
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(fcntl, "ioctl", cannot)
    (tmp_path / "source").write_bytes(b"12")
    (tmp_path / "d").mkdir()
    _take(tmp_path / "d", [("a", tmp_path / "source"), ("b", tmp_path / "source")])

    assert len(asked) == 1
    assert (tmp_path / "d/b").read_bytes() == b"12"


def test_what_is_shared_is_hashed_as_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def share(fd: int, request: int, source: int) -> int:
        return os.pwrite(fd, b"shared", 0)  # as the kernel would, from the source as it was

    monkeypatch.setattr(fcntl, "ioctl", share)
    (tmp_path / "source").write_bytes(b"changed meanwhile")
    (tmp_path / "d").mkdir()

    assert _take(tmp_path / "d", [("a", tmp_path / "source")]) == 6


def test_what_cannot_be_made_is_told_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").write_bytes(b"12")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/there").write_text("")
    with pytest.raises(InvalidArgument, match="there: file exists"):
        _take(tmp_path / "d", [("there", tmp_path / "source")])

    def full(fd: int, request: int, source: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fcntl, "ioctl", full)
    with pytest.raises(Unavailable, match="a: no space left"):
        _take(tmp_path / "d", [("a", tmp_path / "source")])


def test_a_file_that_is_given_in_small_parts_is_copied_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.preadv

    def sparing(fd: int, buffers: list[bytearray], offset: int) -> int:
        return whole(fd, [memoryview(buffers[0])[:2]], offset)  # as file systems may, of processes for one

    monkeypatch.setattr(os, "preadv", sparing)
    (tmp_path / "source").write_bytes(b"12345")
    (tmp_path / "d").mkdir()

    assert _take(tmp_path / "d", [("a", tmp_path / "source")]) == 5
    assert (tmp_path / "d/a").read_bytes() == b"12345"
