"""Write what is in memory to the disk (syncfs(2))."""

from __future__ import annotations

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

_syncfs = libc.prototype("syncfs", ctypes.c_int)


def syncfs(fd: int) -> None:
    """Bring everything on the file system of ``fd`` to the disk; EIO when some of it could not be written."""
    _syncfs(fd)
