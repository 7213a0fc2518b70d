"""Hints to a file system on how to lay out what is in a folder (ioctl_iflags(2), chattr(1))."""

from __future__ import annotations

import fcntl
import struct
from typing import Final

_GET: Final = 0x80086601  # FS_IOC_GETFLAGS, linux/fs.h
_SET: Final = 0x40086602  # FS_IOC_SETFLAGS
_TOPDIR: Final = 0x00020000  # FS_TOPDIR_FL


def spread_folders(fd: int) -> None:
    """Say that the folders in the folder ``fd`` have nothing to do with each other (FS_TOPDIR_FL, ``chattr +T``).

    Ext2 to ext4 then put each of them somewhere else on the disk, with what comes below it.

    Raises:
        OSError: EOPNOTSUPP, ENOTTY or EINVAL: the file system has no such hint; EPERM: the folder is another user's.
    """
    flags = struct.unpack("=q", fcntl.ioctl(fd, _GET, bytes(8)))[0]
    if not flags & _TOPDIR:
        fcntl.ioctl(fd, _SET, struct.pack("=q", flags | _TOPDIR))
