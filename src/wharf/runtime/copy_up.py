"""tmpcopyup: a tmpfs that starts with what the image has in its place (config.md "Linux mount options")."""

from __future__ import annotations

import os
import stat

from wharf.kernel.openat2 import Resolve, openat2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CHUNK_BYTES: Final = 1 << 24
_NO_LINKS: Final = int(Resolve.NO_SYMLINKS | Resolve.BENEATH)
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def copy(source: int, target: int) -> None:
    """Copy the contents of the folder ``source`` into ``target`` (O_PATH descriptors both), with owners and modes.

    Symlinks are copied as such; sockets, pipes and devices are left out.
    """
    from_fd, to_fd = openat2(source, ".", _FOLDER), openat2(target, ".", _FOLDER)
    try:
        _same_metadata(os.fstat(from_fd), to_fd)
        _copy_entries(from_fd, to_fd)
    finally:
        os.close(from_fd)
        os.close(to_fd)


def _copy_entries(from_fd: int, to_fd: int) -> None:
    for name in os.listdir(from_fd):
        status = os.stat(name, dir_fd=from_fd, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(name, 0o700, dir_fd=to_fd)
            source, target = openat2(from_fd, name, _FOLDER), openat2(to_fd, name, _FOLDER)
            try:
                _copy_entries(source, target)
                _same_metadata(status, target)
            finally:
                os.close(source)
                os.close(target)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(name, dir_fd=from_fd), name, dir_fd=to_fd)
            os.chown(name, status.st_uid, status.st_gid, dir_fd=to_fd, follow_symlinks=False)
        elif stat.S_ISREG(status.st_mode):
            _copy_file(from_fd, to_fd, name)


def _copy_file(from_fd: int, to_fd: int, name: str) -> None:
    source = openat2(from_fd, name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, resolve=_NO_LINKS)
    try:
        target = openat2(to_fd, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600, resolve=_NO_LINKS)
        try:
            while os.sendfile(target, source, None, _CHUNK_BYTES):
                pass
            _same_metadata(os.fstat(source), target)
        finally:
            os.close(target)
    finally:
        os.close(source)


def _same_metadata(status: os.stat_result, target: int) -> None:
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
