"""Mounts that every usual container has, made before it is known which container they will be for.

They stand in a small root of their own (a tmpfs), so that whoever holds them keeps no mount of the host's alive::

    /            tmpfs
    ├── dev/null the host's, to cover files with
    ├── proc     new, with what is usually masked and read-only below it
    ├── root     where the container's root will be
    └── sys      the same

The others (/dev with its nodes, /dev/pts, /dev/shm, /dev/mqueue) have no place yet.
"""

from __future__ import annotations

import os

from wharf.kernel import mount as kernel
from wharf.kernel.openat2 import ensure_file, ensure_folder
from wharf.runtime import devices, mounts, rootfs
from wharf.runtime.mount_options import parse
from wharf.runtime.mounts import MountPlan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from wharf.runtime.init import InitPlan

ROOT: Final = "/root"
"""Where the container's root is to be put."""

_TREES: Final = ("/proc", "/sys")
_DEV: Final = "/dev"
_PLACE: Final = "/proc"  # a folder that is everywhere
_FOLDERS: Final = ("/dev", "/proc", ROOT, "/sys")
_FOLDER_MODE: Final = 0o755


class Prepared:
    """What stands ready, and for what.

    Attributes:
        sysctls: descriptor of a writable /proc/sys.
    """

    __slots__ = ("_fds", "_nodes", "_said", "_usual", "sysctls")

    def __init__(self, usual: InitPlan) -> None:
        """Make this process's mount namespace its own, and everything in it that ``usual`` wants and that can be.

        Raises:
            StartFailed: the kernel refused.
            OSError: the same.
        """
        self._usual = usual
        self._said = {one.destination: repr(one) for one in usual.mounts}
        self._nodes = list(map(repr, usual.nodes))
        self._fds: dict[str, int] = {}
        root = _move_into_own_root()
        wanted = {one.destination: one for one in usual.mounts if _can_be_made_ahead(one)}
        self.sysctls = -1
        for place in _TREES:
            if place in wanted:
                self._plant(root, wanted.pop(place))
        for place, one in wanted.items():
            self._fds[place] = mounts.new(one, _FOLDER_MODE)
        if _DEV in self._fds:
            devices.make_in(self._fds[_DEV], usual.nodes)
        os.close(root)

    def _plant(self, root: int, one: MountPlan) -> None:
        place = one.destination
        kernel.move_mount(mounts.new(one, _FOLDER_MODE), place)
        self._fds[place] = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        if place == "/proc":
            self.sysctls = os.open("/proc/sys", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        rootfs.make_paths_read_only(root, _below(place, self._usual.read_only_paths))
        rootfs.mask(root, _below(place, self._usual.masked))

    def for_plan(self, plan: InitPlan, joined: Iterable[str]) -> dict[str, int]:
        """Return the mounts that are just what ``plan`` wants, by destination, for :func:`mounts.make`.

        Their masks, read-only paths and nodes are taken out of the plan.

        Args:
            plan: what init will do.
            joined: namespaces that are not the ones in which the mounts were made.
        """
        wanted = {one.destination: repr(one) for one in plan.mounts if one.destination in self._fds}
        fit = {place: self._fds[place] for place, one in wanted.items() if one == self._said[place]}
        for kind, place in (("network", "/sys"), ("ipc", "/dev/mqueue")):
            if kind in joined:
                fit.pop(place, None)
        for place in _TREES:
            if place in fit:
                self._settle_tree(plan, place, fit)
        if _DEV in fit:
            if list(map(repr, plan.nodes)) == self._nodes:
                plan.nodes = []
            else:
                del fit[_DEV]
        return fit

    def _settle_tree(self, plan: InitPlan, place: str, fit: dict[str, int]) -> None:
        """Use a tree only when the same is masked in it, and nothing unusual is mounted in it."""
        same = (
            _below(place, plan.masked) == _below(place, self._usual.masked)
            and _below(place, plan.read_only_paths) == _below(place, self._usual.read_only_paths)
            and _places_below(place, plan.mounts) == _places_below(place, self._usual.mounts)
        )
        if same:
            plan.masked = _not_below(place, plan.masked)
            plan.read_only_paths = _not_below(place, plan.read_only_paths)
        else:
            del fit[place]


def _can_be_made_ahead(one: MountPlan) -> bool:
    """A mount that depends neither on the image, nor on the control group, nor on the folder it will lie on."""
    own_mode = one.fstype != "tmpfs" or any(key == "mode" for key, _ in one.options.data)
    return one.fstype not in ("bind", "cgroup", "cgroup2") and not one.options.copy_up and own_mode


def _move_into_own_root() -> int:
    """Enter a new, empty root, with nothing of the host's but its /dev/null; return a descriptor of it."""
    null = kernel.open_tree("/dev/null")
    plan = rootfs.RootPlan(_PLACE, [], 0)
    plan.opened = mounts.new(MountPlan("/", "tmpfs", "wharf", parse(["mode=755"])), _FOLDER_MODE)
    root = rootfs.make(plan)
    for folder in _FOLDERS:
        os.close(ensure_folder(root, folder))
    target = ensure_file(root, "/dev/null")
    kernel.move_mount(null, "", dir_fd=target)
    os.close(target)
    os.close(null)
    rootfs.enter(root, 0)
    return root


def _below(place: str, paths: Iterable[str]) -> list[str]:
    return [path for path in paths if path.startswith(f"{place}/")]


def _not_below(place: str, paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not path.startswith(f"{place}/")]


def _places_below(place: str, plans: Iterable[MountPlan]) -> list[str]:
    return [one.destination for one in plans if one.destination.startswith(f"{place}/")]
