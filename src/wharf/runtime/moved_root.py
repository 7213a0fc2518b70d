"""--no-pivot: a root that is moved over the old one, where that is a ramfs, which pivot_root refuses.

What is below stays in the mount namespace. So the host's procfs and sysfs are taken away first: as long as one is
there in full, the kernel lets a user namespace mount another, without the container's masks.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import mount as kernel
from wharf.kernel.libc import suppress_errno
from wharf.kernel.mount import MountFlag, UmountFlag
from wharf.runtime.errors import during_init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MOVE: Final = int(MountFlag.MOVE)
_RDONLY: Final = int(MountFlag.RDONLY)
_DETACH: Final = int(UmountFlag.DETACH)


def enter(root: int, propagation: int) -> None:
    """Make ``root`` the root and working directory without pivot_root.

    Raises:
        StartFailed: the kernel refused.
    """
    try:
        path = os.readlink(f"/proc/self/fd/{root}")
        for point in _full_mounts(path):
            _take_away(point)
        os.fchdir(root)
        kernel.mount(path, "/", None, _MOVE)
        os.chroot(".")
        os.chdir("/")
        if propagation:
            kernel.mount(None, "/", None, propagation)
    except OSError as error:
        raise during_init(error, "error jailing process inside rootfs: moving it") from error


def _full_mounts(root: str) -> list[str]:
    """Return where procfs and sysfs are mounted outside ``root``, the last mounted first (proc_pid_mountinfo(5))."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return outside(file.read(), root)


def outside(mountinfo: str, root: str) -> list[str]:
    """Return the mount points of procfs and sysfs that are not below ``root``, the last mounted first."""
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].replace("\\040", " ")
        if right.split(" ")[0] in ("proc", "sysfs") and not f"{point}/".startswith(f"{root}/"):
            found.append(point)
    return found[::-1]


def _take_away(point: str) -> None:
    with suppress_errno(errno.ENOENT):  # below another that has gone
        try:
            kernel.umount(point, _DETACH)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EPERM):
                raise
            # Locked by a user namespace: cover it.
            kernel.mount("tmpfs", point, "tmpfs", _RDONLY)
