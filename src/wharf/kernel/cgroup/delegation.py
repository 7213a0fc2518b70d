"""Giving a v2 group to a user, who may then divide it (cgroups(7) "Cgroups delegation")."""

from __future__ import annotations

import errno
import os

from wharf.kernel.libc import suppress_errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_LISTED: Final = "/sys/kernel/cgroup/delegate"
_USUAL: Final = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]


def delegate(folder: str, uid: int, *, listed: str = _LISTED) -> None:
    """Give a group's folder to ``uid``, and the files in it that the kernel lists for that; the group stays as it is.

    Nothing is done to a group of v1, where it would not be safe, and nothing that a plain user may not do.

    Args:
        folder: the group's.
        uid: as the runtime's user namespace knows it.
        listed: the kernel's file of names.

    Raises:
        OSError: with the file.
    """
    if not os.path.exists(f"{folder}/cgroup.controllers"):  # all groups of v2 have it
        return
    with suppress_errno(errno.EPERM):
        os.chown(folder, uid, -1, follow_symlinks=False)
        for name in _names(listed):
            with suppress_errno(errno.ENOENT):  # not every group has all of them
                os.chown(f"{folder}/{name}", uid, -1, follow_symlinks=False)


def _names(listed: str) -> list[str]:
    try:
        with open(listed, encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return _USUAL
