"""The mounts of the specification, made inside the new root (config.md "Mounts").

Every mount is first made detached and then moved onto a descriptor of its destination, which openat2 has resolved
inside the root: no symlink and no rename can lead it elsewhere in between.
"""

from __future__ import annotations

import errno
import os
import stat

from wharf.kernel import mount as kernel
from wharf.kernel import userns
from wharf.kernel.cgroup.hierarchy import read_hierarchies
from wharf.kernel.mount import Change, MountAttr, OpenTree
from wharf.kernel.openat2 import ensure_folder, ensure_like, is_there, open_in_root, open_plain_folder
from wharf.runtime import copy_up, mount_options
from wharf.runtime.errors import invalid, not_mounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Final

    from wharf.runtime.mount_options import Options
    from wharf.spec.oci_runtime import Linux, Mount

_RDONLY: Final = int(MountAttr.RDONLY)
_RECURSIVE_CLONE: Final = int(OpenTree.CLONE | OpenTree.RECURSIVE)
_CLONE: Final = int(OpenTree.CLONE)
_PLAIN: Final = ("proc", "sysfs")
_PROC: Final = "/proc"
_PROC_INODE: Final = 1
_SHOWN_IN_PROC: Final = frozenset(
    {
        "/proc/cpuinfo",
        "/proc/diskstats",
        "/proc/loadavg",
        "/proc/meminfo",
        "/proc/net/dev",
        "/proc/slabinfo",
        "/proc/stat",
        "/proc/swaps",
        "/proc/sys/crypto/fips_enabled",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/uptime",
    }
)
"""Files of /proc that tell a container of the machine, and may be covered by others that tell it of itself."""
_EVERYBODYS: Final = 0o1777  # what the kernel gives a tmpfs that no mode is asked for
_LABELLED: Final = frozenset({"tmpfs", "devpts", "mqueue", "ramfs"})


class MountPlan:
    """One mount, decided: its repr is what is printed.

    Attributes:
        opened: the source of a bind mount, detached, when somebody has opened it already; of a new file system with
            ``options.maps``, the user namespace that has them; -1 otherwise.
        groups: returns the name of each v1 hierarchy and the container's own group in it, detached.
    """

    __slots__ = ("destination", "fstype", "groups", "opened", "options", "source")

    def __init__(self, destination: str, fstype: str, source: str, options: Options) -> None:
        self.destination = destination
        self.fstype = fstype
        self.source = source
        self.options = options
        self.opened = -1
        self.groups: Callable[[], Iterable[tuple[str, int]]] | None = None

    def __repr__(self) -> str:
        return f"mount {self.fstype} {self.source} at {self.destination} {self.options!r}"


def plan(
    mounts: Iterable[Mount], *, bundle: str, context: str, warnings: list[str], linux: Linux | None = None
) -> list[MountPlan]:
    """Return the mounts to make, in order.

    Args:
        mounts: of config.json.
        bundle: what relative sources of bind mounts are below.
        context: SELinux label of new file systems; "" for none.
        warnings: is told what was asked for and has no effect.
        linux: of config.json, for the mappings of its user namespace.

    Raises:
        StartFailed: an option that is not supported, or a mount without a destination.
    """
    plans = [_plan_one(mount, bundle, warnings, linux or {}) for mount in mounts]
    for one in plans:
        if context and one.fstype in _LABELLED:
            one.options.data.append(("context", context))
    return plans


def _plan_one(mount: Mount, bundle: str, warnings: list[str], linux: Linux) -> MountPlan:
    destination = mount.get("destination", "")
    if not destination:
        raise invalid("mount without a destination")
    options = mount_options.parse(mount.get("options") or ())
    fstype = mount.get("type") or ""
    options.bind = mount_options.is_bind(mount)
    source = mount.get("source") or fstype
    if options.idmap or mount.get("uidMappings") or mount.get("gidMappings"):
        from wharf.runtime import idmap  # noqa: PLC0415 - few want it: start-up

        options.maps = idmap.maps_of(mount, linux, asked=options.idmap)
    if options.remount:
        fstype = "remount"
    elif options.bind:
        fstype = "bind"
        source = os.path.join(bundle, source)
        if options.superblock or options.data:
            extra = [*options.superblock, *(key for key, _ in options.data)]
            # mount(2): "data" is ignored for a bind mount; so are flags of the file system, which exists already.
            warnings.append(f"mount options {extra} have no effect on the bind mount at {destination}")
            options.superblock, options.data = [], []
    elif not fstype:
        raise invalid(f"mount at {destination} has no type")
    if options.remount and (options.superblock or options.data):
        extra = [*options.superblock, *(key for key, _ in options.data)]
        raise invalid(f"remount at {destination} can only change the mount, not its file system: {extra[0]}")
    if options.copy_up and fstype != "tmpfs":
        raise invalid(f"tmpcopyup is for tmpfs, not for {fstype} at {destination}")
    return MountPlan("/" + destination.strip("/"), fstype, source, options)


def make(root: int, plans: Iterable[MountPlan], prepared: Mapping[str, int]) -> None:
    """Make the mounts inside the root whose descriptor is ``root``.

    Args:
        root: descriptor of the root.
        plans: the mounts, in order.
        prepared: mounts that are made already and want only their place, by destination; taken over.

    Raises:
        StartFailed: with source and destination in runc's words.
    """
    for one in plans:
        ready = prepared.get(one.destination, -1)
        try:
            if ready != -1:
                _put(root, one, ready)
            else:
                _MAKERS.get(one.fstype, _make_filesystem)(root, one)
        except OSError as error:
            raise not_mounted(one.source, one.destination, error) from error


def _place_of(root: int, one: MountPlan) -> int:
    """Return a descriptor of the folder where the mount will be, made if missing.

    procfs and sysfs are not led elsewhere by a symlink: what is masked there afterwards would be another place's
    (CVE-2019-19921, CVE-2023-28642).
    """
    try:
        target = (open_plain_folder if one.fstype in _PLAIN else ensure_folder)(root, one.destination)
    except OSError as error:
        if one.fstype in _PLAIN and error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise OSError(error.errno, f"{one.fstype} must be mounted on an ordinary directory") from error
        raise
    _keep_proc(target, one)
    return target


def _keep_proc(target: int, one: MountPlan) -> None:
    """Refuse to cover procfs, or a part of it: a program would believe, or write to, what lies there instead.

    Raises:
        OSError: it would (CVE-2019-16884).
    """
    if one.destination in _SHOWN_IN_PROC or (one.destination == _PROC and one.fstype == "proc"):
        return
    if one.destination == _PROC or kernel.filesystem_of(target) == kernel.PROCFS:
        raise OSError(errno.EPERM, f"{one.destination} cannot be mounted because it is inside /proc")


def _is_whole_proc(fd: int) -> bool:
    return kernel.filesystem_of(fd) == kernel.PROCFS and os.fstat(fd).st_ino == _PROC_INODE


def _put(root: int, one: MountPlan, ready: int) -> None:
    target = _place_of(root, one)
    try:
        attach(ready, target, one.options)
    finally:
        os.close(target)


def _make_filesystem(root: int, one: MountPlan) -> None:
    missing = one.fstype == "tmpfs" and not is_there(root, one.destination)
    target = _place_of(root, one)
    changes: list[Change] = []
    try:
        fd = new(one, _EVERYBODYS if missing else stat.S_IMODE(os.fstat(target).st_mode))
    except PermissionError:
        if one.fstype != "sysfs":
            raise
        # In a user namespace sysfs belongs to the network namespace's owner: show the host's, as runc does.
        fd = kernel.open_tree("/sys", _RECURSIVE_CLONE)
        changes = [Change(one.options.set | _RDONLY, recursive=True)]
    try:
        if one.options.part:
            from wharf.runtime import part  # noqa: PLC0415 - loaded with the option

            fd = part.take(fd, one.options.part, target)
        if one.options.maps is not None:
            kernel.map_ids(fd, one.opened)
        if one.options.copy_up:
            copy_up.copy(target, fd)
        if one.options.copy_up and one.options.set & _RDONLY:
            changes.append(Change(_RDONLY))
        attach(fd, target, one.options, *changes)
    finally:
        os.close(target)


def new(one: MountPlan, mode: int) -> int:
    """Return a new file system as a detached mount; ``mode`` is that of its place, which a tmpfs takes over."""
    options = one.options
    fs = kernel.fsopen(one.fstype)
    try:
        kernel.set_string(fs, "source", one.source)
        for key in options.superblock:
            kernel.set_flag(fs, key)
        for key, value in options.data:
            if value:
                kernel.set_string(fs, key, value)
            else:
                kernel.set_flag(fs, key)
        if one.fstype == "tmpfs" and all(key != "mode" for key, _ in options.data):
            kernel.set_string(fs, "mode", f"{mode:o}")
        kernel.create(fs)
        return kernel.fsmount(fs, options.set & ~_RDONLY if options.copy_up else options.set)
    except OSError as error:
        if error.errno == errno.EINVAL and (said := kernel.messages(fs)):
            raise OSError(error.errno, said) from error
        raise
    finally:
        os.close(fs)


def open_source(one: MountPlan) -> int:
    """Return the source of a bind mount as a detached mount, owned by the caller.

    Raises:
        OSError: there is none, in runc's words.
    """
    try:
        return _open_source(one)
    except FileNotFoundError as error:
        raise OSError(error.errno, f"stat {one.source}: no such file or directory") from error


def _remount(root: int, one: MountPlan) -> None:
    """Change the attributes of the mount that is at the destination; the file system's own options stay."""
    options = one.options
    target = open_in_root(root, one.destination)
    try:
        own = [Change(options.set, options.clear)] if options.set or options.clear else []
        kernel.change(target, *own, *_below(options), *_propagation(options))
    finally:
        os.close(target)


def _make_bind(root: int, one: MountPlan) -> None:
    options = one.options
    fd = one.opened if one.opened != -1 else open_source(one)
    set_, clear = options.set, options.clear & ~_RDONLY  # "rw" does not make a read-only source writable
    changes = [Change(set_, clear)] if set_ or clear else []
    target = ensure_like(root, one.destination, folder=stat.S_ISDIR(os.fstat(fd).st_mode))
    try:
        if not (one.destination == _PROC and _is_whole_proc(fd)):
            _keep_proc(target, one)
        attach(fd, target, options, *changes)
    finally:
        os.close(target)


def _open_source(one: MountPlan) -> int:
    flags = _RECURSIVE_CLONE if one.options.recursive else _CLONE
    if one.options.mounts_of:
        from wharf.runtime import neighbour  # noqa: PLC0415 - few want it: start-up

        return neighbour.copy_mount(one.options.mounts_of, one.source, flags)
    if not one.options.part:
        return kernel.open_tree(one.source, flags)
    top = os.open(one.source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        part = open_in_root(top, one.options.part)
    finally:
        os.close(top)
    try:
        return kernel.open_tree("", flags | OpenTree.EMPTY_PATH, dir_fd=part)
    finally:
        os.close(part)


def attach(fd: int, target: int, options: Options, *changes: Change) -> None:
    """Give the detached mount ``fd``, which is closed, its place, changed, and with what ``options`` say of it."""
    try:
        kernel.place(fd, "", *changes, *_below(options), dir_fd=target)
        kernel.change(fd, *_propagation(options))
    finally:
        os.close(fd)


def _below(options: Options) -> list[Change]:
    wanted = options.set_below or options.clear_below
    return [Change(options.set_below, options.clear_below, recursive=True)] if wanted else []


def _propagation(options: Options) -> list[Change]:
    return [Change(propagation=flag, recursive=recursive) for flag, recursive in options.propagation]


def _make_cgroup(root: int, one: MountPlan) -> None:
    """Show the container its control groups: one cgroup2, or on v1 a tmpfs with a folder a hierarchy."""
    groups = list(one.groups()) if one.groups is not None else []
    hierarchies = [] if groups else own_hierarchies()
    if not hierarchies and not groups:
        one = MountPlan(one.destination, "cgroup2", one.source, one.options)
        _make_filesystem(root, one)
        return
    options = one.options
    folders = mount_options.parse(["mode=755"])
    folders.set = options.set & ~_RDONLY
    _make_filesystem(root, MountPlan(one.destination, "tmpfs", "tmpfs", folders))
    top = open_in_root(root, one.destination)
    try:
        for name, group in groups:
            _place_hierarchy(top, name, group, Change(options.set))
        for name, path in hierarchies:
            _mount_hierarchy(top, name, path, options)
        if options.set & _RDONLY:
            kernel.change(top, Change(_RDONLY))
        kernel.change(top, *_propagation(options))
    finally:
        os.close(top)


def _mount_hierarchy(top: int, name: str, path: str, options: Options) -> None:
    folder = name.removeprefix("name=")
    fd, changes = _own_group(folder, path), [Change(options.set)]
    if fd < 0:
        changes = []
        own = mount_options.parse(name.split(","))
        own.set = options.set
        fd = new(MountPlan(folder, "cgroup", "cgroup", own), 0o755)
    _place_hierarchy(top, folder, fd, *changes)


def _place_hierarchy(top: int, folder: str, fd: int, *changes: Change) -> None:
    """Give a hierarchy its folder below ``top``, and a name for each of its controllers; ``fd`` is closed."""
    try:
        os.mkdir(folder, 0o755, dir_fd=top)
        kernel.place(fd, folder, *changes, dir_fd=top)
    finally:
        os.close(fd)
    if "," in folder:
        for controller in folder.split(","):
            os.symlink(folder, controller, dir_fd=top)


def _own_group(folder: str, path: str) -> int:
    """Return a detached mount of the container's own group of a hierarchy; -1 when its root is that group.

    Without a namespace the hierarchy's root would be the host's, and what programs read there to fit themselves in
    (limits of memory and of CPUs) the machine's. Copied from where the host has it: it costs a third of a mount
    of its own. Where the host has it elsewhere, the container sees the whole hierarchy.
    """
    if path == "/" or path.startswith("/.."):
        return -1
    try:
        return kernel.open_tree(f"/sys/fs/cgroup/{folder}{path}", _CLONE)
    except FileNotFoundError:
        return -1


def own_hierarchies() -> list[tuple[str, str]]:
    """Return the v1 hierarchies and this process's group in each (cgroups(7), /proc/[pid]/cgroup).

    The names are mount options, such as "cpu,cpuacct" or "name=systemd".
    """
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        fields = [line.rstrip("\n").split(":", 2) for line in file if not line.startswith("0::")]
    if userns.inside():  # what is not mounted for the user has not been delegated to them
        there = read_hierarchies().v1
        fields = [field for field in fields if field[1].partition(",")[0] in there]
    return [(name, path) for _, name, path in fields]


_MAKERS: Final = {"bind": _make_bind, "cgroup": _make_cgroup, "remount": _remount}
