"""Which control groups are the user's, and how they become the only ones that the engine sees.

Delegation is as the kernel means it (admin-guide/cgroup-v2 "Delegation"): the folder of the group the user is in,
and the files by which processes enter, belong to the user. A cgroup namespace made there shows that group as the root
of its hierarchy; mounted anew, it is all there is. What is not delegated is not mounted, so an engine does without.
"""

from __future__ import annotations

import os

from wharf.kernel import mount
from wharf.kernel.cgroup import files
from wharf.kernel.cgroup.hierarchy import parse_mountinfo
from wharf.kernel.libc import suppress_errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

_ROOT: Final = "/sys/fs/cgroup"
_LEAF: Final = "engine"
_ESRCH: Final = 3


class Delegated:
    """One hierarchy in which the user has a group; ``controllers`` is empty for the unified one."""

    __slots__ = ("controllers", "folder")

    def __init__(self, folder: str, controllers: tuple[str, ...]) -> None:
        self.folder = folder
        self.controllers = controllers

    def __repr__(self) -> str:
        return f"{self.folder} ({','.join(self.controllers) or 'v2'})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delegated) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def plan(mountinfo: str, membership: str, writable: Callable[[str], bool]) -> list[Delegated]:
    """Return the hierarchies that are delegated. Pure, but for what ``writable`` asks.

    Args:
        mountinfo: text of /proc/self/mountinfo.
        membership: text of /proc/self/cgroup.
        writable: whether the user may make groups in a folder and move processes into it.
    """
    v1, v2 = parse_mountinfo(mountinfo)
    found: list[Delegated] = []
    for line in membership.splitlines():
        _, names, path = line.split(":", 2)
        controllers = tuple(names.split(",")) if names else ()
        point = v1.get(controllers[0]) if controllers else v2
        folder = f"{point}{path}".rstrip("/")
        if point is not None and path.startswith("/") and ".." not in path.split("/") and writable(folder):
            found.append(Delegated(folder, controllers))
    return found


def observe() -> list[Delegated]:
    """Return what is delegated to the caller."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mountinfo = file.read()
    with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as file:
        return plan(mountinfo, file.read(), _writable)


def _writable(folder: str) -> bool:
    return all(os.access(path, os.W_OK) for path in (folder, f"{folder}/cgroup.procs"))


def unified(delegated: list[Delegated]) -> str:
    """Return the folder of the group on the unified hierarchy, "" without one."""
    return next((one.folder for one in delegated if not one.controllers), "")


def leave_root(folder: str) -> None:
    """Move all processes of the unified group into a leaf below it: a group with processes hands no controllers down.

    Raises:
        OSError: one may not be moved.
    """
    with suppress_errno(17):  # EEXIST
        os.mkdir(f"{folder}/{_LEAF}")
    for pid in files.procs(folder):
        with suppress_errno(_ESRCH):
            files.write(f"{folder}/{_LEAF}/cgroup.procs", str(pid))


def enter_leaf(folder: str) -> None:
    """Move the caller to where the engine lives, so that it may put containers beside itself.

    Raises:
        OSError: EACCES: the caller is in a group that is not the user's.
    """
    files.write(f"{folder}/{_LEAF}/cgroup.procs", "0")


def mount_all(delegated: list[Delegated], *, pure_v2: bool) -> None:
    """Replace what is at /sys/fs/cgroup, in a new mount and cgroup namespace, by the delegated groups alone.

    Raises:
        OSError: the kernel refused.
    """
    flags = mount.MountFlag.NOSUID | mount.MountFlag.NODEV | mount.MountFlag.NOEXEC
    if pure_v2 and delegated:
        mount.mount("cgroup2", _ROOT, "cgroup2", flags)
        return
    mount.mount("tmpfs", _ROOT, "tmpfs", flags, "mode=755,size=64k")
    for one in delegated:
        kind = "cgroup" if one.controllers else "cgroup2"
        point = f"{_ROOT}/{','.join(one.controllers).removeprefix('name=') or 'unified'}"
        os.mkdir(point)
        mount.mount(kind, point, kind, flags, ",".join(one.controllers) or None)
    mount.mount(None, _ROOT, None, flags | mount.MountFlag.REMOUNT | mount.MountFlag.RDONLY)
