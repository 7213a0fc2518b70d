"""A part of a new file system in the place of all of it: a folder of an image of several layers."""

from __future__ import annotations

import errno
import os
import stat

from wharf.kernel import mount as kernel
from wharf.kernel.mount import OpenTree, UmountFlag
from wharf.kernel.openat2 import open_beneath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CLONE_IT: Final = int(OpenTree.CLONE | OpenTree.EMPTY_PATH)
_DETACH: Final = int(UmountFlag.DETACH)


def take(fd: int, part: str, target: int) -> int:
    """Return the folder ``part`` of the detached mount ``fd``, which is closed, as a detached mount.

    Nothing can be opened as a tree that has no place (open_tree(2), before Linux 6.15). So the whole lies on
    ``target``, in the caller's mount namespace, for as long as that takes.

    Raises:
        OSError: ENOENT, ENOTDIR: there is no such folder in it; EXDEV: symlinks lead out of it.
    """
    before = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        kernel.move_mount(fd, "", dir_fd=target)
        try:
            return cloned(fd, part)
        finally:
            os.fchdir(fd)
            kernel.umount(".", _DETACH)
            os.fchdir(before)
    finally:
        os.close(before)
        os.close(fd)


def cloned(top: int, part: str) -> int:
    """Return the folder ``part`` of the mount ``top`` as a detached one; before Linux 6.15 that must have a place."""
    try:
        inside = open_beneath(top, part)
    except FileNotFoundError as error:
        raise OSError(errno.ENOENT, f"cannot access path {part}: no such file or directory") from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise OSError(errno.EXDEV, f"path concatenation escapes the base directory, subpath: {part}") from error
    try:
        if not stat.S_ISDIR(os.fstat(inside).st_mode):
            raise OSError(errno.ENOTDIR, f"cannot access path {part}: not a directory")
        return kernel.open_tree("", _CLONE_IT, dir_fd=inside)
    finally:
        os.close(inside)
