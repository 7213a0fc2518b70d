"""memfd, inotify, lock, libc: the small ones."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from wharf.kernel import inotify, libc, lock, memfd, mount


def test_an_error_names_the_path() -> None:
    with pytest.raises(OSError, match="/nonexistent") as caught:
        mount.umount("/nonexistent")

    assert caught.value.filename == "/nonexistent"


def test_only_the_named_errno_is_suppressed() -> None:
    with libc.suppress_errno(errno.ENOENT):
        raise FileNotFoundError(errno.ENOENT, "gone")
    with pytest.raises(PermissionError), libc.suppress_errno(errno.ENOENT):
        raise PermissionError(errno.EACCES, "no")


def test_a_sealed_copy_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")

    fd = memfd.sealed_copy(str(tmp_path / "f"))

    assert os.read(fd, 100) == b"content"
    with pytest.raises(PermissionError):
        os.write(fd, b"x")
    os.close(fd)


def test_a_lock_is_held_by_one_until_its_descriptor_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    held = lock.try_lock(path)
    assert held is not None
    assert lock.try_lock(path) is None
    os.close(held)

    again = lock.try_lock(path)

    assert again is not None
    os.close(again)


def test_growth_of_a_file_is_told_and_silence_is_empty(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    fd = inotify.inotify_init()
    watch = inotify.add_watch(fd, str(tmp_path), inotify.Watch.MODIFY)
    assert inotify.read(fd) == []

    (tmp_path / "log").write_text("line")

    assert inotify.read(fd) == [(watch, inotify.Watch.MODIFY, "log")]
    os.close(fd)
