"""What a container needs of the host, opened here and handed over as descriptors.

The process that waits to become a container's init (:mod:`wharf.runtime.embryo`) has left the host's mounts. And the
engine does this in memory that is its own: what a shim does for the first time costs it page after page copied.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from wharf.kernel import mount, overlay
from wharf.kernel.cgroup.group import Cgroup
from wharf.kernel.mount import OpenTree
from wharf.kernel.namespace import FILE_OF
from wharf.spec.oci_runtime import Mount, Seccomp, Spec
from wharf.spec.shim_messages import Groups, RootfsMount, World

_CLONE: Final = int(OpenTree.CLONE)
_RECURSIVE_CLONE: Final = int(OpenTree.CLONE | OpenTree.RECURSIVE)
_MOST_BINDS: Final = 200
_JOINABLE: Final = ("network", "ipc", "uts")
_PRIVATE: Final = ("", "private", "rprivate")
_BINDING: Final = frozenset({"bind", "rbind"})
_PROPAGATING: Final = ("shared", "rshared", "slave", "rslave", "unbindable", "runbindable")
_UNSUITABLE: Final = (*_PROPAGATING, "idmap", "ridmap", "wharf.part=", "wharf.mounts_of=")
"""What bind options that concern the host's side begin with: propagation, a part of the source, ids; or another
container's mount, which only a process with a single thread can fetch."""

_OF_THE_KERNEL: Final = frozenset({"cgroup", "cgroup2", "devpts", "mqueue", "proc", "ramfs", "sysfs", "tmpfs"})
"""Types of file systems that need no path of the host's."""

_LOWER, _UPPER, _WORK = "lowerdir+", "upperdir", "workdir"


NO_WORLD: Final[World] = {"op": "world", "binds": 0, "joined": []}
"""The message without descriptors."""


class Opened(ExitStack):
    """Descriptors of one message, closed after it."""

    def __init__(self) -> None:
        super().__init__()
        self.fds: list[int] = []

    def add(self, fd: int) -> None:
        """Take over a descriptor, the next in order."""
        self.fds.append(fd)
        self.callback(os.close, fd)

    def give_up(self) -> None:
        """Close them now."""
        self.close()
        self.fds.clear()


def suits(spec: Spec, rootfs: Sequence[RootfsMount], seccomp: Seccomp | None, cgroup: Cgroup) -> bool:
    """Return whether a process that was born before can become the init of ``spec``. Pure.

    Args:
        spec: config.json.
        rootfs: the mounts that make its root.
        seccomp: the filter that such a process has.
        cgroup: the container's group.
    """
    linux = spec.get("linux") or {}
    return (
        cgroup.lets_enter(linux.get("resources") or {})
        and len(rootfs) == 1
        and rootfs[0]["type"] == "overlay"
        and not any((spec.get("hooks") or {}).values())
        and not linux.get("netDevices")
        and (linux.get("rootfsPropagation") or "") in _PRIVATE
        and (linux.get("seccomp") or seccomp) == seccomp
        and _namespaces_suit(spec)
        and _binds_suit(spec)
        and all(_is_bind(one) or one.get("type") in _OF_THE_KERNEL for one in spec.get("mounts") or ())
    )


def _namespaces_suit(spec: Spec) -> bool:
    entries = (spec.get("linux") or {}).get("namespaces") or ()
    paths = {entry.get("type", ""): entry.get("path") or "" for entry in entries}
    new = all(paths.get(kind) == "" for kind in ("mount", "pid"))
    return new and not paths.keys() & {"cgroup", "time", "user"} and len(paths) == len(entries)


def _binds_suit(spec: Spec) -> bool:
    binds = _binds(spec)
    return len(binds) <= _MOST_BINDS and not any(
        bind.get("uidMappings") or any(option.startswith(_UNSUITABLE) for option in bind.get("options") or ())
        for bind in binds
    )


def _binds(spec: Spec) -> list[Mount]:
    return [one for one in spec.get("mounts") or () if _is_bind(one)]


def _is_bind(one: Mount) -> bool:
    return one.get("type") == "bind" or bool(_BINDING.intersection(one.get("options") or ()))


def open_world(opened: Opened, spec: Spec, bundle: str, rootfs: Sequence[RootfsMount]) -> World:
    """Open, into ``opened``, all that an init of ``spec``, which suits, needs of the host but its control group.

    Raises:
        OSError: something is not there.
    """
    world: World = {**NO_WORLD, "joined": []}
    opened.add(_open_root(rootfs[0]["options"]))
    binds = _binds(spec)
    for bind in binds:
        recursive = "rbind" in (bind.get("options") or ())
        opened.add(mount.open_tree(os.path.join(bundle, bind["source"]), _RECURSIVE_CLONE if recursive else _CLONE))
    world["binds"] = len(binds)
    paths = _namespaces(spec)
    for kind in _JOINABLE:
        if path := paths.get(kind, f"/proc/self/ns/{FILE_OF[kind]}"):
            opened.add(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            world["joined"].append(kind)
    return world


def open_groups(opened: Opened, spec: Spec, cgroup: Cgroup) -> Groups:
    """Open, into ``opened``, the container's control group, for an init that had its :func:`open_world`.

    Raises:
        OSError: it is not there.
    """
    groups: Groups = {"op": "groups", "doors": 0, "mounts": []}
    doors = cgroup.open_entry()
    opened.callback(doors.close)
    opened.fds += doors.v1
    groups["doors"] = len(doors.v1)
    if "cgroup" not in _namespaces(spec) and any(one.get("type") == "cgroup" for one in spec.get("mounts") or ()):
        for name, fd in cgroup.open_mounts():
            opened.add(fd)
            groups["mounts"].append(name)
    return groups


def _namespaces(spec: Spec) -> dict[str, str]:
    return {entry["type"]: entry.get("path") or "" for entry in (spec.get("linux") or {}).get("namespaces") or ()}


def _open_root(options: Sequence[str]) -> int:
    """Return a detached overlay mount; the options are those of ``storage.snapshots``."""
    pairs = [option.partition("=")[::2] for option in options]
    lower = [value for key, value in pairs if key == _LOWER]
    rest = {key: value for key, value in pairs if key not in (_LOWER, _UPPER, _WORK)}
    single = dict(pairs)
    return overlay.detached(lower, single.get(_UPPER), single.get(_WORK), options=rest)
