"""Id-mapped mounts (config.md "idmap", mount_setattr(2) "ID-mapped mounts").

The parent opens and maps the sources of bind mounts, for init may be nobody there: in a user namespace of its own it
has no right over the host's file systems, nor a way to what only the host's root can reach. It then only gives them
their place. For new file systems the parent makes the user namespace that holds the mapping: in a pid namespace of
its own, init does not find its children in the host's /proc.
"""

from __future__ import annotations

import os

from wharf.kernel import mount as kernel
from wharf.kernel.overlay_mapped import Owner
from wharf.runtime import mapped_root, namespaces, userns
from wharf.runtime.errors import during_init, invalid, not_mounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wharf.runtime.mounts import MountPlan
    from wharf.runtime.namespaces import NamespacePlan
    from wharf.runtime.rootfs import RootPlan
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
    # Of one that is joined they are given, too, by who knows them.
    if not any(entry.get("type") == "user" for entry in linux.get("namespaces") or ()):
        return [], []
    return linux.get("uidMappings") or [], linux.get("gidMappings") or []


class Opened:
    """While it lasts, what these mounts need is open: ``with Opened(plans, open_source, own): clone3(...)``.

    The root, too, when it is to be mapped: init, in its user namespace, could neither mount nor map it.
    """

    __slots__ = ("_held", "_open_source", "_own", "_plans", "_root")

    def __init__(
        self,
        plans: Iterable[MountPlan],
        open_source: Callable[[MountPlan], int],
        own: NamespacePlan | None = None,
        root: RootPlan | None = None,
    ) -> None:
        self._open_source = open_source
        self._own = own
        self._root = root if root is not None and root.idmap else None
        self._plans = list(plans)
        self._held: dict[Maps, int] = {}

    def __enter__(self) -> None:
        try:
            for one in self._plans:
                one.opened = self._open(one)
            if self._root is not None:
                self._root.opened = self._open_root(self._root)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        opened: list[MountPlan | RootPlan] = [*self._plans]
        if self._root is not None:
            opened.append(self._root)
        for one in opened:
            if one.opened != -1:
                os.close(one.opened)
                one.opened = -1
        for fd in self._held.values():
            os.close(fd)
        self._held.clear()

    def _owner(self, maps: Maps) -> int:
        """Return a user namespace with these mappings, held until the end: the container's own, if it can be."""
        if maps not in self._held:
            own = self._own
            path = own.own_join.get("user") if own is not None and maps == (own.uid_map, own.gid_map) else None
            self._held[maps] = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path else userns.make(*maps)
        return self._held[maps]

    def _open(self, one: MountPlan) -> int:
        maps = one.options.maps
        try:
            if one.fstype == "overlay" and maps is not None:
                one.fstype = "bind"  # of what is there now: init gives it its place
                return _part_of(one, mapped_root.overlay(one.options, _as_root(self._owner(maps), maps)))
            if one.fstype != "bind":
                assert maps is not None
                return os.dup(self._owner(maps))
            fd = self._open_source(one)
            try:
                if maps is not None:
                    kernel.map_ids(fd, self._owner(maps), recursive=one.options.map_recursive)
            except BaseException:
                os.close(fd)
                raise
        except OSError as error:
            raise not_mounted(one.source, one.destination, error) from error
        return fd

    def _open_root(self, root: RootPlan) -> int:
        assert self._own is not None, "a root is mapped for a container that has a user namespace"
        maps = (self._own.uid_map, self._own.gid_map)
        try:
            return mapped_root.open_root(root, _as_root(self._owner(maps), maps))
        except OSError as error:
            raise during_init(error, 'error mounting the id-mapped rootfs at "/"') from error


def _part_of(one: MountPlan, fd: int) -> int:
    """Return the part of the detached mount ``fd``, which is closed, that is asked for; Linux 6.15+."""
    if not one.options.part:
        return fd
    from wharf.runtime import part  # noqa: PLC0415 - loaded with the option

    try:
        return part.cloned(fd, one.options.part)
    finally:
        os.close(fd)


def _as_root(namespace: int, maps: Maps) -> Owner:
    """Return the user namespace with the machine's ids of its root.

    Raises:
        StartFailed: it has no root.
    """
    uid, gid = (namespaces.on_host(0, text) for text in maps)
    if uid is None or gid is None:
        raise invalid("a user namespace without a root has no id-mapped overlays")
    return Owner(namespace, uid, gid)
