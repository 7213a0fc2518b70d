"""Which storage driver a data root has: the one asked for, which its containers stay with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from wharf.errors import Conflict, InvalidArgument, NotImplementedHere
from wharf.storage.layout import DataRoot
from wharf.storage.roots.btrfs import BtrfsRoots
from wharf.storage.roots.fuse_overlayfs import FuseOverlayRoots
from wharf.storage.roots.native import NativeRoots
from wharf.storage.roots.overlay import OverlayRoots
from wharf.storage.snapshotter import Roots

DEFAULT: Final = OverlayRoots.name
DRIVERS: Final[Mapping[str, Callable[[], Roots]]] = {
    OverlayRoots.name: OverlayRoots,
    NativeRoots.name: NativeRoots,
    FuseOverlayRoots.name: FuseOverlayRoots,
    BtrfsRoots.name: BtrfsRoots,
}


_BY_ITSELF: Final = (OverlayRoots.name, FuseOverlayRoots.name, NativeRoots.name)
"""What is tried where nobody chooses, the fastest first."""


def choose(name: str, data: DataRoot) -> Roots:
    """Return the storage driver of that name, and note it in the data root: others cannot read its containers.

    Without a name it is the one that the root has, or else the fastest that works there.

    Raises:
        InvalidArgument: there is no such driver.
        NotImplementedHere: this machine or file system cannot do it.
        Conflict: the root has containers of another one.
    """
    if not name:
        return _choose_by_itself(data)
    if name not in DRIVERS:
        raise InvalidArgument(f"unknown storage driver {name!r}: known are {', '.join(DRIVERS)}")
    roots = DRIVERS[name]()
    roots.require(data.path)
    before = data.driver.read_text().strip() if data.driver.exists() else DEFAULT
    if before != name:
        if any(data.containers.iterdir()):
            raise Conflict(
                f"{data.path} has containers of the storage driver {before}: remove them first, or keep that driver"
            )
        data.driver.write_text(f"{name}\n")
    return roots


def _choose_by_itself(data: DataRoot) -> Roots:
    if data.driver.exists():
        return choose(data.driver.read_text().strip(), data)
    for name in _BY_ITSELF[:-1]:
        with suppress(NotImplementedHere):
            return choose(name, data)
    return choose(_BY_ITSELF[-1], data)
