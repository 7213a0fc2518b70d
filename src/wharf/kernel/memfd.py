"""Files in memory that nobody can change any more (memfd_create(2), fcntl(2) "File sealing")."""

from __future__ import annotations

import os

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ADD_SEALS: Final = 1033
_SEALS: Final = 0b1111  # F_SEAL_SEAL, SHRINK, GROW and WRITE
_fcntl = libc.prototype("fcntl", ctypes.c_int, ctypes.c_int, ctypes.c_int)
_CHUNK_BYTES: Final = 1 << 24


def sealed_copy(path: str) -> int:
    """Return a close-on-exec descriptor of a read-only copy of the file ``path``, owned by the caller.

    Executed by its descriptor, a program's /proc/self/exe is the copy: who gets hold of it never has the original.
    """
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _copy(source, os.path.basename(path))
    finally:
        os.close(source)


def sealed(data: bytes, name: str) -> int:
    """Return a close-on-exec descriptor of a read-only file that holds ``data``, owned by the caller."""
    fd = os.memfd_create(name[:200], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        return _seal(fd)
    except BaseException:
        os.close(fd)
        raise


def _copy(source: int, name: str) -> int:
    fd = os.memfd_create(name[:200], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        while os.sendfile(fd, source, None, _CHUNK_BYTES):
            pass
        return _seal(fd)
    except BaseException:
        os.close(fd)
        raise


def _seal(fd: int) -> int:
    os.lseek(fd, 0, os.SEEK_SET)
    _fcntl(fd, _ADD_SEALS, _SEALS)
    return fd
