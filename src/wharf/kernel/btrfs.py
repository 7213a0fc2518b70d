"""Subvolumes of btrfs: made, copied at once, limited, removed (ioctl-btrfs(2); linux/btrfs.h)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ARGUMENT: Final = struct.Struct("=q4088s")  # struct btrfs_ioctl_vol_args: a descriptor, a name


def _iow(number: int) -> int:
    return (1 << 30) | (_ARGUMENT.size << 16) | (0x94 << 8) | number


_QUOTA: Final = struct.Struct("=QQ")  # struct btrfs_ioctl_quota_ctl_args: command, status
_LIMIT: Final = struct.Struct("=QQQQQQ")  # struct btrfs_ioctl_qgroup_limit_args: group, flags, four limits
_QUOTA_CTL: Final = (3 << 30) | (_QUOTA.size << 16) | (0x94 << 8) | 40
_QGROUP_LIMIT: Final = (2 << 30) | (_LIMIT.size << 16) | (0x94 << 8) | 43
_RESCAN_WAIT: Final = (0x94 << 8) | 46
_ENABLE, _MAX_REFERENCED, _THIS_SUBVOLUME = 1, 1, 0

_SNAP_CREATE: Final = _iow(1)
_SUBVOL_CREATE: Final = _iow(14)
_SNAP_DESTROY: Final = _iow(15)
_ROOT_INODE: Final = 256
"""The inode number of every subvolume's root."""


def create_subvolume(folder_fd: int, name: str) -> None:
    """Make an empty subvolume ``name`` in a folder; ENOTTY where that is not on btrfs."""
    fcntl.ioctl(folder_fd, _SUBVOL_CREATE, bytearray(_ARGUMENT.pack(0, os.fsencode(name))))


def snapshot(source_fd: int, folder_fd: int, name: str) -> None:
    """Make ``name`` in a folder a writable copy of the subvolume of descriptor ``source_fd``, sharing all content."""
    fcntl.ioctl(folder_fd, _SNAP_CREATE, bytearray(_ARGUMENT.pack(source_fd, os.fsencode(name))))


def delete_subvolume(folder_fd: int, name: bytes) -> bool:
    """Remove a subvolume with all in it; return False when the name is none."""
    try:
        if os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_ino != _ROOT_INODE:
            return False
        fcntl.ioctl(folder_fd, _SNAP_DESTROY, bytearray(_ARGUMENT.pack(0, name)))
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):  # another file system, or an ordinary folder of that number
            return False
        raise
    return True


def enable_quotas(fd: int) -> None:
    """Have the file system of ``fd`` count what its subvolumes hold; idempotent. Waits for a count under way."""
    fcntl.ioctl(fd, _QUOTA_CTL, bytearray(_QUOTA.pack(_ENABLE, 0)))
    fcntl.ioctl(fd, _RESCAN_WAIT)


def limit_subvolume(fd: int, size_bytes: int) -> None:
    """Let the subvolume whose root ``fd`` is refer to no more than so many bytes, shared or its own (EDQUOT)."""
    fcntl.ioctl(fd, _QGROUP_LIMIT, bytearray(_LIMIT.pack(_THIS_SUBVOLUME, _MAX_REFERENCED, size_bytes, 0, 0, 0)))
