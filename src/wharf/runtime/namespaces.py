"""A container's namespaces: new ones by clone3, given ones by setns in the parent before it (config-linux.md).

The parent goes into given namespaces, clones, and comes back: so the child is born in them, and a pid or a time
namespace, which apply to children only, need no process in between. Not so a user namespace, from which nobody comes
back (:mod:`wharf.runtime.userns`), and mount and cgroup namespaces, which init joins by itself when their turn comes.
"""

from __future__ import annotations

import os

from wharf.kernel import namespace
from wharf.kernel.namespace import FILE_OF, FLAG_OF
from wharf.kernel.userns import mapped
from wharf.runtime.errors import StartFailed, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.spec.oci_runtime import IDMapping, Linux

_NEWCGROUP: Final = FLAG_OF["cgroup"]
_NEWMOUNT: Final = FLAG_OF["mount"]
_NEWTIME: Final = FLAG_OF["time"]
_NEWUSER: Final = FLAG_OF["user"]
_CHILDREN: Final = {"pid": "pid_for_children", "time": "time_for_children"}


class NamespacePlan:
    """Namespaces to make and to join.

    Attributes:
        clone: CLONE_NEW* flags for clone3.
        cgroup: a new cgroup namespace: made by the child, once it is in its group.
        time: a new time namespace, with ``offsets`` as /proc/<pid>/timens_offsets takes them.
        join: (type, path), in order: by the parent.
        own_join: type to path, by init: "mount", "user", "cgroup".
        uid_map, gid_map: contents of the files, of a user namespace that is made, or joined and known.
    """

    __slots__ = ("cgroup", "clone", "gid_map", "join", "offsets", "own_join", "time", "uid_map")

    def __init__(self) -> None:
        self.clone = 0
        self.cgroup = self.time = False
        self.join: list[tuple[str, str]] = []
        self.own_join: dict[str, str] = {}
        self.offsets = self.uid_map = self.gid_map = ""

    def has(self, kind: str) -> bool:
        """Whether the container has a namespace of this type apart from the host's, new or joined."""
        new = self.clone | (_NEWCGROUP if self.cgroup else 0) | (_NEWTIME if self.time else 0)
        joined = kind in self.own_join or any(joined == kind for joined, _ in self.join)
        return bool(new & FLAG_OF[kind]) or joined

    @property
    def new_mount(self) -> bool:
        """Whether the container has a mount namespace made for it."""
        return bool(self.clone & _NEWMOUNT)

    def __repr__(self) -> str:
        made = [kind for kind, flag in FLAG_OF.items() if self.clone & flag]
        return f"namespaces new={made} cgroup={self.cgroup} time={self.time} join={self.join} {self.own_join}"


def plan(linux: Linux) -> NamespacePlan:
    """Return what to make and what to join.

    Raises:
        StartFailed: unknown, double, or a combination that is not supported.
    """
    result = NamespacePlan()
    seen: set[str] = set()
    for entry in linux.get("namespaces") or ():
        kind = entry.get("type", "")
        if kind not in FLAG_OF:
            raise invalid(f'namespace type "{kind}" is not supported')
        if kind in seen:
            raise invalid(f'malformed spec file: duplicated ns "{kind}"')
        seen.add(kind)
        _add(result, kind, entry.get("path") or "")
    _add_user(result, linux)
    _add_time(result, linux)
    return result


def _add(result: NamespacePlan, kind: str, path: str) -> None:
    if path:
        if not path.startswith("/"):
            raise invalid(f"path of the {kind} namespace is not absolute: {path}")
        if kind in ("mount", "user", "cgroup"):
            result.own_join[kind] = path
        else:
            result.join.append((kind, path))
    elif kind == "cgroup":
        result.cgroup = True
    elif kind == "time":
        result.time = True
    else:
        result.clone |= FLAG_OF[kind]


def _add_user(result: NamespacePlan, linux: Linux) -> None:
    uids, gids = linux.get("uidMappings") or [], linux.get("gidMappings") or []
    if result.clone & _NEWUSER:
        if not uids or not gids:
            raise invalid("user namespaces enabled, but no uid or gid mappings found")
        result.uid_map, result.gid_map = id_map(uids), id_map(gids)
    elif "user" in result.own_join:
        result.uid_map, result.gid_map = id_map(uids), id_map(gids)
    elif uids or gids:
        raise invalid("user namespace mappings specified, but user namespace isn't enabled in the config")


def id_map(mappings: list[IDMapping]) -> str:
    """Return mappings as the files of /proc take them (user_namespaces(7))."""
    return "".join(f"{m['containerID']} {m['hostID']} {m['size']}\n" for m in mappings)


def on_host(number: int, id_map: str) -> int | None:
    """Return the machine's id of one in a user namespace with this map; None: it has none. Pure."""
    for first, outside, count in mapped(id_map.encode()):
        if first <= number < first + count:
            return outside + number - first
    return None


def _add_time(result: NamespacePlan, linux: Linux) -> None:
    offsets = linux.get("timeOffsets") or {}
    if offsets and not result.time:
        raise invalid("time namespace offsets specified, but time namespace isn't enabled in the config")
    lines: list[str] = []
    for clock, offset in offsets.items():
        if clock not in ("monotonic", "boottime"):
            raise invalid(f'clock "{clock}" can not be offset in a time namespace')
        lines.append(f"{clock} {offset.get('secs', 0)} {offset.get('nanosecs', 0)}\n")
    result.offsets = "".join(lines)


def join(kind: str, path: str) -> None:
    """Go into the namespace of type ``kind`` at ``path``.

    Raises:
        StartFailed: there is none, it is of another type, or it may not be entered.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            namespace.setns(fd, FLAG_OF[kind])
        finally:
            os.close(fd)
    except OSError as error:
        reason = (error.strerror or "").lower()
        message = f"unable to start container process: cannot join {kind} namespace {path}: {reason}"
        raise StartFailed("other", message) from error


class Entered:
    """The parent's stay in given namespaces: ``with Entered(plan): clone3(...)``."""

    __slots__ = ("_back", "_plan")

    def __init__(self, plan: NamespacePlan) -> None:
        self._plan = plan
        self._back: list[tuple[int, int]] = []

    def __enter__(self) -> None:
        try:
            for kind, path in self._plan.join:
                self._enter(kind, path)
            if self._plan.time:
                self._make_time()
        except BaseException:
            self.__exit__()
            raise

    def _enter(self, kind: str, path: str) -> None:
        self._remember(kind)
        join(kind, path)

    def _make_time(self) -> None:
        self._remember("time")
        try:
            namespace.unshare(_NEWTIME)
            if self._plan.offsets:
                with open("/proc/self/timens_offsets", "w", encoding="utf-8") as file:
                    file.write(self._plan.offsets)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise StartFailed(
                "other", f"unable to start container process: cannot make a time namespace: {reason}"
            ) from error

    def _remember(self, kind: str) -> None:
        name = _CHILDREN.get(kind, FILE_OF[kind])
        self._back.append((FLAG_OF[kind], os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)))

    def __exit__(self, *_: object) -> None:
        while self._back:
            flag, fd = self._back.pop()
            try:
                namespace.setns(fd, flag)
            finally:
                os.close(fd)


def write_maps(pid: int, plan: NamespacePlan) -> None:
    """Write the id maps of the new user namespace of process ``pid``, a child of ours (user_namespaces(7)).

    Raises:
        OSError: the kernel, or newuidmap(1), takes no such maps from the caller.
    """
    if os.geteuid() != 0:
        from wharf.runtime import plain_maps  # noqa: PLC0415 - start-up

        plain_maps.write(pid, plan.uid_map, plan.gid_map)
        return
    write_map(pid, "uid_map", plan.uid_map)
    write_map(pid, "gid_map", plan.gid_map)


def write_map(pid: int, name: str, content: str) -> None:
    """Write one of the maps, in one system call."""
    with open(f"/proc/{pid}/{name}", "wb", buffering=0) as file:
        file.write(content.encode())
