"""Mounting: mount(2) and the descriptor-based mount API (fsopen, fsmount, open_tree, move_mount; Linux 5.2+).

A mount made with the new API is *detached*: it is visible to nobody and vanishes with its descriptor, until
move_mount gives it a place. So code here prefers it: a process killed half-way leaves nothing behind.
Overlay mounts have a module of their own: :mod:`wharf.kernel.overlay`.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

AT_FDCWD: Final = -100
AT_EMPTY_PATH: Final = 0x1000
AT_RECURSIVE: Final = 0x8000
AT_SYMLINK_NOFOLLOW: Final = 0x100


class MountFlag:
    """MS_* of mount(2)."""

    RDONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    SYNCHRONOUS = 16
    REMOUNT = 32
    MANDLOCK = 64
    DIRSYNC = 128
    NOSYMFOLLOW = 256
    NOATIME = 1024
    NODIRATIME = 2048
    BIND = 4096
    MOVE = 8192
    REC = 16384
    SILENT = 32768
    UNBINDABLE = 1 << 17
    PRIVATE = 1 << 18
    SLAVE = 1 << 19
    SHARED = 1 << 20
    RELATIME = 1 << 21
    STRICTATIME = 1 << 24
    LAZYTIME = 1 << 25


class UmountFlag:
    """MNT_* and UMOUNT_* of umount2(2)."""

    FORCE = 1
    DETACH = 2
    EXPIRE = 4
    NOFOLLOW = 8


class MountAttr:
    """MOUNT_ATTR_* of mount_setattr(2) and fsmount."""

    RDONLY = 0x1
    NOSUID = 0x2
    NODEV = 0x4
    NOEXEC = 0x8
    ATIME = 0x70  # the mask of the three ways to keep access times
    RELATIME = 0x0
    NOATIME = 0x10
    STRICTATIME = 0x20
    NODIRATIME = 0x80
    IDMAP = 0x100000
    NOSYMFOLLOW = 0x200000


class OpenTree:
    """Flags of open_tree; CLOEXEC is added by :func:`open_tree`."""

    CLONE = 1
    RECURSIVE = AT_RECURSIVE
    EMPTY_PATH = AT_EMPTY_PATH
    NOFOLLOW = AT_SYMLINK_NOFOLLOW


class FsConfig:
    """FSCONFIG_* commands."""

    SET_FLAG = 0
    SET_STRING = 1
    SET_BINARY = 2
    SET_PATH = 3
    SET_PATH_EMPTY = 4
    SET_FD = 5
    CMD_CREATE = 6
    CMD_RECONFIGURE = 7


_FSOPEN_CLOEXEC: Final = 1
_FSMOUNT_CLOEXEC: Final = 1
_OPEN_TREE_CLOEXEC: Final = os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH: Final = 0x4
_MOVE_MOUNT_T_EMPTY_PATH: Final = 0x40
_STATFS_BYTES: Final = 120  # struct statfs of 64-bit machines; its first long is f_type
_TYPE_BYTES: Final = 8

PROCFS: Final = 0x9FA0
DEVPTS: Final = 0x1CD1


class Change:
    """What to change of a mount: attributes (MountAttr) to set and clear, propagation; ``recursive``: below too."""

    __slots__ = ("clear", "propagation", "recursive", "set")

    def __init__(self, set_: int = 0, clear: int = 0, propagation: int = 0, *, recursive: bool = False) -> None:
        self.set = set_
        self.clear = clear
        self.propagation = propagation
        self.recursive = recursive


_c = ctypes
_mount = libc.prototype("mount", _c.c_char_p, _c.c_char_p, _c.c_char_p, _c.c_ulong, _c.c_char_p, path=1)
_umount2 = libc.prototype("umount2", _c.c_char_p, _c.c_int, path=0)
_pivot_root = libc.syscall((155, 41), _c.c_char_p, _c.c_char_p, path=0)
_open_tree = libc.syscall(428, _c.c_int, _c.c_char_p, _c.c_uint, path=1)
_move_mount = libc.syscall(429, _c.c_int, _c.c_char_p, _c.c_int, _c.c_char_p, _c.c_uint, path=3)
_fsopen = libc.syscall(430, _c.c_char_p, _c.c_uint, path=0)
_fsconfig = libc.syscall(431, _c.c_int, _c.c_uint, _c.c_char_p, _c.c_char_p, _c.c_int, path=3)
_fsmount = libc.syscall(432, _c.c_int, _c.c_uint, _c.c_uint)
_fstatfs = libc.prototype("fstatfs", _c.c_int, _c.c_char_p, keep_gil=True)
_mount_setattr = libc.syscall(442, _c.c_int, _c.c_char_p, _c.c_uint, _c.c_char_p, _c.c_size_t, path=1)


def mount(
    source: str | None, target: str, fstype: str | None = None, flags: int = 0, data: str | None = None
) -> None:
    """Attach a filesystem, or change a mount (REMOUNT, BIND, MOVE, propagation)."""
    _mount(
        None if source is None else os.fsencode(source),
        os.fsencode(target),
        None if fstype is None else fstype.encode(),
        flags,
        None if data is None else os.fsencode(data),
    )


def umount(target: str, flags: int = 0) -> None:
    """Detach what is mounted last at ``target``; EINVAL when nothing is. See umount2(2)."""
    _umount2(os.fsencode(target), flags)


def pivot_root(new_root: str, put_old: str) -> None:
    """Make ``new_root`` the root mount and move the old root to ``put_old`` (both "." stacks the old one on top).

    Raises:
        OSError: EINVAL when ``new_root`` is not a mount point or a mount involved is shared; EBUSY when it,
            or ``put_old``, is on the current root mount.

    See pivot_root(2).
    """
    _pivot_root(os.fsencode(new_root), os.fsencode(put_old))


def fsopen(fstype: str) -> int:
    """Return a descriptor on which a new superblock is configured; the caller owns it. ENODEV: no such type."""
    return _fsopen(fstype.encode(), _FSOPEN_CLOEXEC)


def set_flag(fs: int, key: str) -> None:
    """Give an option without a value, such as ``ro``."""
    _fsconfig(fs, 0, key.encode(), None, 0)


def set_string(fs: int, key: str, value: str) -> None:
    """Give ``key=value``; the kernel takes at most 255 bytes of value (EINVAL)."""
    _fsconfig(fs, 1, key.encode(), os.fsencode(value), 0)


def set_fd(fs: int, key: str, fd: int) -> None:
    """Give an option whose value is an open file."""
    _fsconfig(fs, 5, key.encode(), None, fd)


def create(fs: int) -> None:
    """Make the superblock that was configured on ``fs``."""
    _fsconfig(fs, 6, None, None, 0)


def fsmount(fs: int, attributes: int = 0) -> int:
    """Return a descriptor of a detached mount of the superblock made on ``fs``; the caller owns it.

    Closing it unmounts, unless :func:`move_mount` was called. ``attributes``: :class:`MountAttr`.
    """
    return _fsmount(fs, _FSMOUNT_CLOEXEC, attributes)


def messages(fs: int) -> str:
    """Return what the filesystem said about the configuration on ``fs``, one message a line, and forget it.

    Each begins with its severity (``e``, ``w`` or ``i``) and a space, which are left out.
    """
    said: list[str] = []
    while True:
        try:
            said.append(os.read(fs, 4096).decode(errors="replace").strip()[2:])
        except OSError as error:
            if error.errno in (errno.ENODATA, errno.EMSGSIZE):
                return "\n".join(said)
            raise


def open_tree(path: str, flags: int = OpenTree.CLONE, *, dir_fd: int = AT_FDCWD) -> int:
    """Open the mount at ``path``, with CLONE a detached copy of it (a bind mount without a place).

    ``path`` may be "" with EMPTY_PATH: then ``dir_fd`` itself is meant. The caller owns the descriptor.
    """
    return _open_tree(dir_fd, os.fsencode(path), flags | _OPEN_TREE_CLOEXEC)


def move_mount(mount_fd: int, target: str, *, dir_fd: int = AT_FDCWD) -> None:
    """Put the detached mount ``mount_fd`` at ``target``; "" means ``dir_fd`` itself (O_PATH will do)."""
    flags = _MOVE_MOUNT_F_EMPTY_PATH | (0 if target else _MOVE_MOUNT_T_EMPTY_PATH)
    _move_mount(mount_fd, b"", dir_fd, os.fsencode(target), flags)


def mount_setattr(
    fd: int,
    path: str = "",
    *,
    set_: int = 0,
    clear: int = 0,
    propagation: int = 0,
    userns_fd: int = 0,
    recursive: bool = False,
) -> None:
    """Change the attributes of the mount at ``path`` below ``fd`` ("": of ``fd`` itself).

    Args:
        fd: a directory or mount descriptor.
        path: relative to it.
        set_: :class:`MountAttr` to add.
        clear: those to take away; ATIME must be cleared when an access time mode is set.
        propagation: one of MountFlag.{PRIVATE,SLAVE,SHARED,UNBINDABLE}, or 0 to leave it.
        userns_fd: the user namespace of MountAttr.IDMAP.
        recursive: the mounts below it too, all or none.

    Raises:
        OSError: ENOSYS before Linux 5.12.

    See mount_setattr(2).
    """
    attributes = libc.words(set_, clear, propagation, userns_fd)  # struct mount_attr
    flags = (0 if path else AT_EMPTY_PATH) | (AT_RECURSIVE if recursive else 0)
    _mount_setattr(fd, os.fsencode(path), flags, attributes, len(attributes))


def load() -> None:
    """Load what :func:`change` and :func:`place` need here, for children who can import nothing any more."""
    try:
        mount_setattr(-1)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            from wharf.kernel import remount  # noqa: F401, PLC0415 - few kernels need it


def change(fd: int, *changes: Change) -> None:
    """Change the mount of ``fd``, which has a place; as :func:`mount_setattr`, and before Linux 5.12 too."""
    for one in changes:
        if not _change_at_once(fd, one):
            from wharf.kernel import remount  # noqa: PLC0415 - few kernels need it

            remount.change(fd, one)


def place(fd: int, target: str, *changes: Change, dir_fd: int = AT_FDCWD) -> None:
    """Change the detached mount ``fd`` and move it to ``target``, as :func:`move_mount`.

    In this order, so that nobody sees it otherwise; before Linux 5.12 only a mount that has a place can be changed.
    """
    later = [one for one in changes if not _change_at_once(fd, one)]
    move_mount(fd, target, dir_fd=dir_fd)
    change(fd, *later)


def map_ids(fd: int, userns_fd: int, *, recursive: bool = False) -> None:
    """Map the ids of the detached mount ``fd`` as the user namespace ``userns_fd`` does; ENOSYS before Linux 5.12."""
    try:
        mount_setattr(fd, set_=MountAttr.IDMAP, userns_fd=userns_fd, recursive=recursive)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        raise OSError(errno.ENOSYS, "id-mapped mounts need Linux 5.12") from error


def _change_at_once(fd: int, one: Change) -> bool:
    try:
        mount_setattr(fd, set_=one.set, clear=one.clear, propagation=one.propagation, recursive=one.recursive)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        return False
    return True


def filesystem_of(fd: int) -> int:
    """Return the type of the file system that ``fd`` (O_PATH will do) lies on, such as PROCFS. See statfs(2)."""
    status = ctypes.create_string_buffer(_STATFS_BYTES)
    _fstatfs(fd, status)
    return int.from_bytes(status.raw[:_TYPE_BYTES], "little")


def require_procfs(fd: int) -> None:
    """See that what is written to ``fd`` reaches the kernel.

    Raises:
        OSError: EXDEV: it does not lie on a proc file system.
    """
    if filesystem_of(fd) != PROCFS:
        raise OSError(errno.EXDEV, "not on a proc file system")
