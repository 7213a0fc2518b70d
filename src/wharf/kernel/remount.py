"""What mount_setattr(2) does, before Linux 5.12 has it: mount by mount, by mount(2), from /proc/self/mountinfo.

Not all or nothing, and only for mounts that have a place. Each is found by its id, never by its path alone: somebody
may rename what a mount lies in while we look.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel.mount import MountAttr, MountFlag, mount
from wharf.kernel.openat2 import Resolve, openat2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.kernel.mount import Change

_FLAG_OF: Final = {
    MountAttr.RDONLY: MountFlag.RDONLY,
    MountAttr.NOSUID: MountFlag.NOSUID,
    MountAttr.NODEV: MountFlag.NODEV,
    MountAttr.NOEXEC: MountFlag.NOEXEC,
    MountAttr.NODIRATIME: MountFlag.NODIRATIME,
    MountAttr.NOSYMFOLLOW: MountFlag.NOSYMFOLLOW,
}
_ATTRIBUTE_OF: Final = {
    "ro": MountAttr.RDONLY,
    "nosuid": MountAttr.NOSUID,
    "nodev": MountAttr.NODEV,
    "noexec": MountAttr.NOEXEC,
    "nodiratime": MountAttr.NODIRATIME,
    "nosymfollow": MountAttr.NOSYMFOLLOW,
    "noatime": MountAttr.NOATIME,
}
_TIMES: Final = {
    MountAttr.RELATIME: MountFlag.RELATIME,
    MountAttr.NOATIME: MountFlag.NOATIME,
    MountAttr.STRICTATIME: MountFlag.STRICTATIME,
}
_REMOUNT: Final = MountFlag.REMOUNT | MountFlag.BIND
_RIGHT_THERE: Final = int(Resolve.NO_SYMLINKS | Resolve.NO_MAGICLINKS)


class Place:
    """A mount: its id, where it is, its attributes (MountAttr)."""

    __slots__ = ("attributes", "id", "path")

    def __init__(self, mount_id: int, path: str, attributes: int) -> None:
        self.id = mount_id
        self.path = path
        self.attributes = attributes

    def __repr__(self) -> str:
        return f"{self.id} {self.path} {self.attributes:#x}"


def change(fd: int, wanted: Change) -> None:
    """Change the mount whose root ``fd`` is.

    Raises:
        OSError: EINVAL: ``fd`` is no mount's root, or the mount has no place; EAGAIN: mounts were moved meanwhile.
    """
    places = tree(_mountinfo(), _mount_id(fd))
    if not places:
        raise OSError(errno.EINVAL, "the mount has no place")
    if wanted.propagation:
        recursive = MountFlag.REC if wanted.recursive else 0
        mount(None, f"/proc/self/fd/{fd}", None, wanted.propagation | recursive)
    if wanted.set or wanted.clear:
        _remount(fd, places[0], wanted)
        for place in places[1:] if wanted.recursive else ():
            _remount_below(place, wanted)


def tree(mountinfo: str, top: int) -> list[Place]:
    """Return the mount with the id ``top`` and all that lie on it, it first; none if it is not there. Pure."""
    found: dict[int, Place] = {}
    below: dict[int, list[int]] = {}
    for line in mountinfo.splitlines():
        number, parent, _, _, path, options = line.split(" ", 6)[:6]
        found[int(number)] = Place(int(number), _unescaped(path), _attributes(options))
        below.setdefault(int(parent), []).append(int(number))
    ordered = [top] if top in found else []
    for one in ordered:  # it grows meanwhile
        if one in below:
            ordered += below[one]
    return [found[one] for one in ordered]


def flags(present: int, wanted: Change) -> int:
    """Return MountFlag of a mount with the attributes ``present`` once it is changed. Pure."""
    new = (present & ~wanted.clear) | wanted.set
    times = _TIMES[new & MountAttr.ATIME]
    return times | sum(flag for attribute, flag in _FLAG_OF.items() if new & attribute)


def _attributes(options: str) -> int:
    words = options.split(",")
    times = 0 if {"relatime", "noatime"}.intersection(words) else MountAttr.STRICTATIME
    return times | sum(_ATTRIBUTE_OF.get(word, 0) for word in words)


def _unescaped(path: str) -> str:
    r"""Undo what the kernel does to space, tab, newline and backslash: \040 (proc_pid_mountinfo(5))."""
    first, *rest = path.split("\\")
    return first + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)


def _mountinfo() -> str:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _mount_id(fd: int) -> int:
    with open(f"/proc/self/fdinfo/{fd}", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("mnt_id:"))


def _remount_below(place: Place, wanted: Change) -> None:
    fd = openat2(-100, place.path, os.O_PATH, resolve=_RIGHT_THERE)
    try:
        if _mount_id(fd) != place.id:
            raise OSError(errno.EAGAIN, "another mount is there by now", place.path)
        _remount(fd, place, wanted)
    finally:
        os.close(fd)


def _remount(fd: int, place: Place, wanted: Change) -> None:
    mount(None, f"/proc/self/fd/{fd}", None, _REMOUNT | flags(place.attributes, wanted))
