"""Quotas of projects: what all files of one number hold together (quotactl(2); ext4(5) prjquota; xfs_quota(8)).

A folder's project is taken by what is made in it (FS_XFLAG_PROJINHERIT); statfs(2) tells of a limited one. XFS lets
nobody go on beyond a limit, ext4 who has CAP_SYS_RESOURCE.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from typing import Final

from wharf.kernel import libc, userns
from wharf.kernel import light_ctypes as ctypes

_ATTRIBUTES: Final = struct.Struct("=IIIII8x")  # struct fsxattr of linux/fs.h: flags, two sizes, project, a size
_GET: Final = 0x801C581F  # FS_IOC_FSGETXATTR
_SET: Final = 0x401C5820  # FS_IOC_FSSETXATTR
_INHERIT: Final = 0x200  # FS_XFLAG_PROJINHERIT
_PROJECTS: Final = 2  # PRJQUOTA
_STATE: Final = struct.Struct("=xxH")  # the head of struct fs_quota_stat of linux/dqblk_xfs.h: its flags
_STATE_BYTES: Final = 256  # more than the whole of it
_ENFORCED: Final = 1 << 5  # FS_QUOTA_PDQ_ENFD
_USE: Final = struct.Struct("=8QI4x")  # struct if_dqblk of linux/quota.h
_BLOCK_LIMITS: Final = 1  # QIF_BLIMITS
_BLOCK: Final = 1024  # QIF_DQBLKSIZE
_GET_STATE: Final = 0x5805  # Q_XGETQSTAT
_GET_USE: Final = 0x800007  # Q_GETQUOTA
_SET_LIMITS: Final = 0x800008  # Q_SETQUOTA
_NO_QUOTAS: Final = (errno.ENOSYS, errno.EINVAL, errno.ESRCH, errno.ENOTBLK, errno.ENODEV, errno.ENOENT, errno.EACCES)

_quotactl_fd = libc.syscall(443, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p)
_quotactl = libc.prototype("quotactl", ctypes.c_uint, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p, path=1)


def project_of(fd: int) -> int:
    """Return the project of a file; 0 for none.

    Raises:
        OSError: ENOTTY or EOPNOTSUPP where the file system has none.
    """
    return int(_attributes(fd)[3])


def set_project(fd: int, project: int) -> None:
    """Put a folder into a project, with all that is made in it from now on.

    Raises:
        OSError: EOPNOTSUPP, ENOTTY or EINVAL where the file system has none; EPERM in another user namespace.
    """
    flags, extent, extents, _, copied = _attributes(fd)
    fcntl.ioctl(fd, _SET, _ATTRIBUTES.pack(flags | _INHERIT, extent, extents, project, copied))


def enforced(fd: int) -> bool:
    """Return whether the file system of ``fd`` keeps projects to their limits, and the caller may set them."""
    if userns.inside():
        return False
    try:
        state = _ask(fd, _GET_STATE, 0, bytes(_STATE_BYTES))
    except OSError as error:
        if error.errno in _NO_QUOTAS:
            return False
        raise
    return bool(_STATE.unpack_from(state)[0] & _ENFORCED)


def in_use(fd: int, project: int) -> bool:
    """Return whether there is a file of a project on the file system of ``fd``, or a limit for it."""
    try:
        use = _USE.unpack(_ask(fd, _GET_USE, project, bytes(_USE.size)))
    except OSError as error:
        if error.errno == errno.ENOENT:  # XFS has heard of no such project
            return False
        raise
    hard, soft, _, most, fewer, files, _, _, _ = use
    return any((hard, soft, most, fewer, files))


def set_limit(fd: int, project: int, size_bytes: int) -> None:
    """Let a project hold so many bytes, EDQUOT beyond them; 0 for as many as there is room for. Rounded up to KiB.

    Raises:
        OSError: EPERM for who may not; ESRCH, ENOSYS where there are no such quotas.
    """
    blocks = -(-size_bytes // _BLOCK)
    _ask(fd, _SET_LIMITS, project, _USE.pack(blocks, blocks, 0, 0, 0, 0, 0, 0, _BLOCK_LIMITS))


def _ask(fd: int, command: int, project: int, given: bytes) -> bytes:
    buffer = ctypes.create_string_buffer(given, len(given))
    arguments = (command << 8 | _PROJECTS, project, ctypes.addressof(buffer))
    try:
        _quotactl_fd(fd, *arguments)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        _ask_device(fd, *arguments)  # a kernel before 5.14, or a file system without quotas
    return buffer.raw


def _ask_device(fd: int, command: int, project: int, address: int) -> None:
    device = os.fstat(fd).st_dev
    with open(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/uevent") as file:
        name = next(line.removeprefix("DEVNAME=").strip() for line in file if line.startswith("DEVNAME="))
    _quotactl(command, os.fsencode(f"/dev/{name}"), project, address)


def _attributes(fd: int) -> tuple[int, ...]:
    return _ATTRIBUTES.unpack(fcntl.ioctl(fd, _GET, bytes(_ATTRIBUTES.size)))
