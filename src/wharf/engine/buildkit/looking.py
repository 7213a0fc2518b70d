"""Files of a result, for a client's frontend: read, listed, told of. Nothing leads out of the result; all block."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from wharf.build.session.entries import go_mode_of
from wharf.errors import InvalidArgument, NotFound
from wharf.kernel.openat2 import open_in_root
from wharf.spec.buildkit.gateway_pb2 import FileRange
from wharf.spec.buildkit.stat_pb2 import Stat
from wharf.storage.trees import FOLDER

MOST_BYTES: Final = 8 << 20
"""Of one file that is read: it must fit a message."""


def read(root: int | None, path: str, part: FileRange | None) -> bytes:
    """Return a file, or a part of it.

    Raises:
        NotFound: it is not there.
        InvalidArgument: it is no file, or too large.
    """
    fd = _open(root, path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise InvalidArgument(f"read {path}: not a regular file")
        start, length = (part.Offset, part.Length) if part is not None else (0, status.st_size)
        length = min(length or status.st_size, status.st_size)
        if length > MOST_BYTES:
            raise InvalidArgument(f"read {path}: {length} bytes are too many for one answer")
        return os.pread(fd, length, max(0, start))
    finally:
        os.close(fd)


def listed(root: int | None, path: str, pattern: str) -> list[Stat]:
    """Return what is in a folder, by name.

    Raises:
        NotFound: it is not there.
        InvalidArgument: it is no folder.
    """
    fd = _open(root, path, FOLDER & ~os.O_NOFOLLOW)
    try:
        return list(_entries(fd, pattern))
    finally:
        os.close(fd)


def _entries(fd: int, pattern: str) -> Iterator[Stat]:
    for name in sorted(os.listdir(fd)):
        if not pattern or fnmatchcase(name, pattern):
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
            link = os.readlink(name, dir_fd=fd) if stat.S_ISLNK(status.st_mode) else ""
            yield _stat(name, status, link)


def told(root: int | None, path: str) -> Stat:
    """Return what is said of a file; links on the way are followed, itself not.

    Raises:
        NotFound: it is not there.
    """
    fd = _open(root, path, os.O_PATH | os.O_NOFOLLOW)
    try:
        status = os.fstat(fd)
        link = os.readlink("", dir_fd=fd) if stat.S_ISLNK(status.st_mode) else ""
    finally:
        os.close(fd)
    return _stat(os.path.basename(path.rstrip("/")) or "/", status, link)


def _open(root: int | None, path: str, flags: int) -> int:
    try:
        if root is None:
            raise FileNotFoundError
        return open_in_root(root, path, flags)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise NotFound(f"{path}: no such file or directory") from None
        raise InvalidArgument(f"{path}: {(error.strerror or '').lower()}") from None


def _stat(name: str, status: os.stat_result, link: str) -> Stat:
    return Stat(
        path=os.fsencode(name),
        mode=go_mode_of(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size,
        modTime=status.st_mtime_ns,
        linkname=os.fsencode(link),
        devmajor=os.major(status.st_rdev),
        devminor=os.minor(status.st_rdev),
    )
