"""Saving a container's processes into files and bringing them back: what CRIU is told, and what it must find.

A dump names what belongs to the host and is not saved: bind mounts and masked files by where they are, the streams by
what they are, given namespaces by a key. A restore says what stands in their place. The root is mounted anew in a
mount namespace of CRIU's own, so that nothing of it is seen on the host or left there.
"""

from __future__ import annotations

import os
import stat

from wharf.kernel import criu, namespace
from wharf.kernel.namespace import FLAG_OF
from wharf.kernel.openat2 import ensure_file, ensure_folder, open_in_root
from wharf.lib.light_json import dumps, loads
from wharf.runtime import devices, init, mount_options, mounts, rootfs
from wharf.runtime.errors import StartFailed
from wharf.runtime.invocation import Invocation
from wharf.runtime.started import Started
from wharf.runtime.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Final

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.init import InitPlan
    from wharf.runtime.mounts import MountPlan
    from wharf.spec.oci_runtime import Mount, Spec
    from wharf.spec.shim_messages import RootfsMount

_STREAMS: Final = "descriptors.json"
_LOG_LEVEL: Final = 4
_EXTERNAL: Final = {"network": "net", "pid": "pid"}  # in CRIU's words
_JOINED: Final = {"ipc": "ipc", "uts": "uts", "user": "user"}
HARMLESS: Final = ("RLIMIT_NOFILE for self", "Unable to create tun", "No parent image found, though")
_CONFIG: Final = "org.criu.config"


class Wanted:
    """How a container is saved or brought back: runc's options.

    Attributes:
        images: folder of the files.
        work: folder of the log; "" is the same.
        parent: a pre-dump's folder, relative to ``images``; "" for none.
        leave_running: do not end the container.
        pre_dump: save memory only, and leave it running.
        program: CRIU's name or path.
        cgroups: "soft", "full", "strict" or "ignore".
        empty_namespaces: CLONE_NEW* of those whose properties are not saved.
        page_server: (address, port) that memory is sent to instead; None: into files.
        status_fd: gets a NUL once only memory is left to be fetched from us, by ``lazy_pages``; -1: nobody is told.
        options: others that are CRIU's own, by its names.
    """

    __slots__ = (
        "cgroups",
        "empty_namespaces",
        "images",
        "leave_running",
        "options",
        "page_server",
        "parent",
        "pre_dump",
        "program",
        "status_fd",
        "work",
    )

    def __init__(self, images: str, *, leave_running: bool = False, **options: Any) -> None:
        self.images = images
        self.work = self.parent = ""
        self.program = criu.PROGRAM
        self.leave_running = leave_running
        self.pre_dump = False
        self.status_fd = -1
        self.cgroups = "soft"
        self.empty_namespaces = 0
        self.page_server: tuple[str, int] | None = None
        self.options: dict[str, Any] = options

    @property
    def log(self) -> str:
        """Folder of the log."""
        return self.work or self.images


def dump(spec: Spec, pid: int, wanted: Wanted, *, freezer: str = "") -> None:
    """Save the processes of a container whose init is ``pid``; they end, unless they are to be left running.

    Args:
        spec: its config.json.
        pid: its init.
        wanted: where to, and how.
        freezer: folder of the group to freeze it by; "": CRIU stops each process.

    Raises:
        StartFailed: CRIU could not do it: why, and where it says more.
        Unavailable: there is no CRIU.
    """
    options = _common(spec, wanted, "dump.log")
    options |= {
        "pid": pid,
        "leave_running": wanted.leave_running,
        "network_lock": criu.LOCK_BY_NFTABLES if wanted.options.get("tcp_established") else criu.LOCK_NOTHING,
    }
    if freezer:
        options["freeze_cgroup"] = freezer
    if wanted.parent:
        options["parent_img"] = wanted.parent
    if wanted.parent or wanted.pre_dump:
        options["track_mem"] = True
    if wanted.page_server is not None:
        options["ps"] = wanted.page_server
    if wanted.pre_dump:
        _ask("pre-dump", options, wanted, "dump.log")
        return
    streams = [_stream_of(pid, number) for number in range(3)]
    options["ext_mnt"] = _hosts_places(spec, pid)
    options["external"] = [*_external_namespaces(spec), *(s for s in streams if s.startswith("file["))]
    with open(f"{wanted.images}/{_STREAMS}", "w", encoding="utf-8") as file:
        file.write(dumps(streams))
    _ask("dump", options, wanted, "dump.log", notify=lambda notice: _tell(notice, wanted.status_fd))


def _tell(notice: criu.Notice, status_fd: int) -> None:
    if notice.name == "status-ready" and status_fd != -1:
        os.write(status_fd, b"\0")
        os.close(status_fd)


def _common(spec: Spec, wanted: Wanted, log: str) -> dict[str, Any]:
    for path in (wanted.images, wanted.log):
        os.makedirs(path, mode=0o700, exist_ok=True)
    options: dict[str, Any] = {
        "log_file": log,
        "log_level": _LOG_LEVEL,
        "notify_scripts": True,
        "orphan_pts_master": True,
        "manage_cgroups": True,
        "manage_cgroups_mode": criu.CGROUP_MODES[wanted.cgroups],
        "empty_ns": wanted.empty_namespaces,
        **wanted.options,
    }
    if config := (spec.get("annotations") or {}).get(_CONFIG):
        options["config_file"] = config
    return options


def _ask(what: str, options: dict[str, Any], wanted: Wanted, name: str, **more: Any) -> int:
    try:
        return criu.ask(what, options, (wanted.images, wanted.log), program=wanted.program, **more)
    except criu.Failed as failed:
        log = f"{wanted.log}/{name}"
        said = first_error(log) or failed.message
        raise StartFailed("other", f"criu failed: type {what.upper()}: {said} (log file: {log})") from failed


def first_error(log: str) -> str:
    """Return the first thing that a log of CRIU's calls an error; "" for none: what follows are consequences.

    What it finds lacking before it begins, such as the right to raise its own limits or to make a tun, is none; nor
    is that nothing was saved ahead of a process, which was not there then.
    """
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = [line for line in file if "Error (" in line and not any(word in line for word in HARMLESS)]
            line = lines[0] if lines else ""
    except FileNotFoundError:
        return ""
    return line.partition("Error ")[2].strip()


def _stream_of(pid: int, number: int) -> str:
    """Return what CRIU calls a stream of the container's: "pipe:[inode]", or "file[mount:inode]" of a host's file."""
    path = f"/proc/{pid}/fd/{number}"
    try:
        target = os.readlink(path)
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="utf-8") as file:
            mount = next(line.split()[1] for line in file if line.startswith("mnt_id:"))
    except FileNotFoundError:
        return ""
    if target.startswith("pipe:"):
        return target
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        inside = any(line.split(" ", 1)[0] == mount for line in file)
    return target if inside else f"file[{int(mount):x}:{os.stat(path).st_ino:x}]"


def _hosts_places(spec: Spec, pid: int) -> list[tuple[str, str]]:
    """Return where mounts of the host's are in a container: as the kernel calls it, and as config.json does."""
    linux = spec.get("linux") or {}
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = [(_real(root, one["destination"]), one["destination"]) for one in _binds(spec)]
        found += [(_real(root, path, folders=False), path) for path in linux.get("maskedPaths") or ()]
    finally:
        os.close(root)
    same = [*_hosts_groups(spec, pid), *_hosts_devices(spec, pid)]
    return [*((place, name) for place, name in found if place), *((path, path) for path in same)]


def _binds(spec: Spec) -> list[Mount]:
    return [one for one in spec.get("mounts") or () if mount_options.is_bind(one)]


def _real(root: int, path: str, *, folders: bool = True) -> str:
    try:
        fd = open_in_root(root, path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    try:
        if not folders and stat.S_ISDIR(os.fstat(fd).st_mode):
            return ""
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def _shows_hosts_groups(spec: Spec) -> str:
    """Return where control groups are shown that no cgroup namespace makes the container's own; "" for nowhere."""
    if any(entry.get("type") == "cgroup" for entry in (spec.get("linux") or {}).get("namespaces") or ()):
        return ""
    return next((one["destination"] for one in spec.get("mounts") or () if one.get("type") == "cgroup"), "")


def _hosts_groups(spec: Spec, pid: int) -> list[str]:
    if not _shows_hosts_groups(spec):
        return []
    return [fields[4] for fields in _mounts_of(pid) if fields[fields.index("-") + 1] == "cgroup"]


def _hosts_devices(spec: Spec, pid: int) -> list[str]:
    """Return the nodes that are mounts of the host's, where it could make none: in a user namespace."""
    there = {fields[4] for fields in _mounts_of(pid)}
    nodes = devices.plan((spec.get("linux") or {}).get("devices") or (), ())
    return [node.path for node in nodes if node.path in there]


def _mounts_of(pid: int) -> list[list[str]]:
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return [line.split(" ") for line in file]


def _external_namespaces(spec: Spec) -> list[str]:
    found = []
    for kind, path in _given_namespaces(spec):
        if kind in _EXTERNAL:
            found.append(f"{_EXTERNAL[kind]}[{os.stat(path).st_ino}]:{_key(kind)}")
    return found


def _given_namespaces(spec: Spec) -> list[tuple[str, str]]:
    entries = (spec.get("linux") or {}).get("namespaces") or ()
    return [(entry["type"], entry["path"]) for entry in entries if entry.get("path")]


def _key(kind: str) -> str:
    return f"extRoot{_EXTERNAL[kind].capitalize()}NS"


def restore(
    spec: Spec,
    wanted: Wanted,
    *,
    bundle: str,
    rootfs_mounts: Sequence[RootfsMount],
    stdio: tuple[int, int, int] | None,
    cgroup: Cgroup,
) -> Started:
    """Bring a saved container back; it runs when this returns, a child of the caller, who reaps it.

    Args:
        spec: config.json, as for :func:`wharf.runtime.container.create`.
        wanted: where from, and how.
        bundle: as there.
        rootfs_mounts: as there.
        stdio: as there; what the container had as streams is these now.
        cgroup: its control group, made and limited.

    Raises:
        StartFailed: CRIU could not do it: why, and where it says more; nothing of the container is left then.
        Unavailable: there is no CRIU.
    """
    steps = Steps()
    plan = init.plan(spec, bundle, rootfs_mounts, (b"", 0), Invocation(state={}))
    if plan.root.detached:
        raise StartFailed("invalid", "a container without a mount namespace of its own cannot be restored")
    masters: list[int] = []
    given = [(kind, os.open(path, os.O_RDONLY | os.O_CLOEXEC)) for kind, path in _given_namespaces(spec)]
    entry = cgroup.open_entry()

    def prepare() -> None:
        entry.enter_v1()
        namespace.unshare(FLAG_OF["mount"])
        _make_places(rootfs.make(plan.root), plan.mounts)

    def notify(notice: criu.Notice) -> None:
        (masters if notice.name == "orphan-pts-master" else []).extend(notice.fds)

    try:
        external = [(kind, fd) for kind, fd in given if kind in _EXTERNAL]
        options = _common(spec, wanted, "restore.log")
        options |= _restore_options(plan, spec, wanted, [kind for kind, _ in external])
        options["ext_mnt"] = _sources(plan, spec, cgroup.path)
        options["cg_root"] = [(None, cgroup.path)]  # of every controller: the saved ones were of another container
        pid = _ask(
            "restore",
            options,
            wanted,
            "restore.log",
            notify=notify,
            stdio=stdio,
            fds=[fd for _, fd in external],
            prepare=prepare,
            cgroup_fd=entry.v2 if entry.v2 >= 0 else None,
        )
    finally:
        entry.close()
        for _, fd in given:
            os.close(fd)
    steps.done("restore")
    started = Started(pid, os.pidfd_open(pid), None, steps, plan.warnings)
    started.console = masters[0] if masters else None
    return started


def _restore_options(plan: InitPlan, spec: Spec, wanted: Wanted, external: Sequence[str]) -> dict[str, Any]:
    with open(f"{wanted.images}/{_STREAMS}", encoding="utf-8") as file:
        streams: list[str] = loads(file.read())  # type: ignore[assignment]  # our own file
    inherited = [(key, number) for number, key in enumerate(streams) if key.startswith(("pipe:", "file["))]
    inherited += [(_key(kind), criu.FIRST_FD + n) for n, kind in enumerate(external)]
    return {
        "root": plan.root.path,
        "rst_sibling": True,
        "evasive_devices": True,
        "inherit_fd": inherited,
        "join_ns": [(_JOINED[kind], path) for kind, path in _given_namespaces(spec) if kind in _JOINED],
    }


def _sources(plan: InitPlan, spec: Spec, group: str) -> list[tuple[str, str]]:
    """Return what takes the place of the host's mounts, by the names that the dump has given them."""
    planned = [one for one in plan.mounts if one.fstype == "bind"]
    if any(one.options.part for one in planned):
        raise StartFailed("invalid", "a container with a part of a volume cannot be restored")
    binds = [(one["destination"], ours.source) for one, ours in zip(_binds(spec), planned, strict=True)]
    groups: list[tuple[str, str]] = []
    if place := _shows_hosts_groups(spec):
        names = [name.removeprefix("name=") for name, _ in mounts.own_hierarchies()]
        groups = [(f"{place}/{name}", f"/sys/fs/cgroup/{name}{group}") for name in names]
    nodes = [(node.path, node.path) for node in plan.nodes]  # those that were mounts
    return [*binds, *((path, "/dev/null") for path in plan.masked), *groups, *nodes]


def _make_places(root: int, plans: Iterable[MountPlan]) -> None:
    """Make the places of mounts, as when the container was made; what lies on another mount comes with that."""
    above: list[str] = []
    for one in plans:
        if not any(one.destination.startswith(f"{place}/") for place in above):
            folder = one.fstype != "bind" or os.path.isdir(one.source)
            os.close((ensure_folder if folder else ensure_file)(root, one.destination))
        above.append(one.destination)
    os.close(root)
