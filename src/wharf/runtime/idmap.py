"""Id-mapped mounts (config.md "idmap", mount_setattr(2) "ID-mapped mounts").

The parent opens and maps the sources of bind mounts, for init may be nobody there: in a user namespace of its own it
has no right over the host's file systems, nor a way to what only the host's root can reach. It then only gives them
their place. For new file systems the parent makes the user namespace that holds the mapping: in a pid namespace of
its own, init does not find its children in the host's /proc.
"""

from __future__ import annotations

import os

from wharf.kernel import mount as kernel
from wharf.runtime import namespaces, userns
from wharf.runtime.errors import invalid, not_mounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wharf.runtime.mounts import MountPlan
    from wharf.spec.oci_runtime import IDMapping, Linux, Mount

    Maps = tuple[str, str]


def maps_of(mount: Mount, linux: Linux, *, asked: bool) -> Maps | None:
    """Return (uid_map, gid_map) as user_namespaces(7) writes them; None for a mount without.

    Args:
        mount: of config.json.
        linux: whose user namespace's mappings are meant when the mount has none of its own.
        asked: the options have idmap or ridmap.

    Raises:
        StartFailed: half a mapping, or none at all.
    """
    uids, gids = mount.get("uidMappings") or [], mount.get("gidMappings") or []
    destination = mount.get("destination", "")
    if not asked and not uids and not gids:
        return None
    if bool(uids) != bool(gids):
        raise invalid(f"uidMappings and gidMappings must be given together: {destination}")
    if not uids:
        uids, gids = _of_namespace(linux)
    if not uids or not gids:
        raise invalid(f"mount {destination} is to be id-mapped, but there are no mappings")
    return namespaces.id_map(uids), namespaces.id_map(gids)


def _of_namespace(linux: Linux) -> tuple[list[IDMapping], list[IDMapping]]:
    if not any(entry.get("type") == "user" for entry in linux.get("namespaces") or ()):
        return [], []
    return linux.get("uidMappings") or [], linux.get("gidMappings") or []


class Opened:
    """While it lasts, what these mounts need is open: ``with Opened(plans, open_source): clone3(...)``."""

    __slots__ = ("_open_source", "_plans")

    def __init__(self, plans: Iterable[MountPlan], open_source: Callable[[MountPlan], int]) -> None:
        self._open_source = open_source
        self._plans = list(plans)

    def __enter__(self) -> None:
        try:
            for one in self._plans:
                one.opened = _open(one, self._open_source)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        for one in self._plans:
            if one.opened != -1:
                os.close(one.opened)
                one.opened = -1


def _open(one: MountPlan, open_source: Callable[[MountPlan], int]) -> int:
    if one.fstype != "bind":
        assert one.options.maps is not None
        return userns.make(*one.options.maps)
    try:
        fd = open_source(one)
        try:
            if one.options.maps is not None:
                _map(fd, one.options.maps, recursive=one.options.map_recursive)
        except BaseException:
            os.close(fd)
            raise
    except OSError as error:
        raise not_mounted(one.source, one.destination, error) from error
    return fd


def _map(fd: int, maps: Maps, *, recursive: bool) -> None:
    owner = userns.make(*maps)
    try:
        kernel.map_ids(fd, owner, recursive=recursive)
    finally:
        os.close(owner)
