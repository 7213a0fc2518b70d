"""What can be seen of the machine, for whoever asks: root or a plain user. Nothing is changed, nothing is kept."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wharf.kernel import bpf, clone, mount, namespace, userns
from wharf.kernel.cgroup import device_program
from wharf.kernel.cgroup.hierarchy import Hierarchies, read_hierarchies
from wharf.kernel.namespace import Clone
from wharf.kernel.nftables import Nftables
from wharf.kernel.process import run
from wharf.rootless import delegation, ids

_PROGRAMS = ("newuidmap", "newgidmap", "pasta", "slirp4netns", "fuse-overlayfs", "criu", "ps")
_OPTIONS = ("user.max_user_namespaces", "kernel.unprivileged_userns_clone")
_FIRST_ID = 100_000  # useradd's own (login.defs, SUB_UID_MIN)
_SYSTEMD = "/run/systemd/system"
_LINGERING = "/var/lib/systemd/linger"
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts; a text that tells why not is empty where it works.

    Of a plain user: ``powerless`` are those of newuidmap and newgidmap that are there without the right to map ids;
    ``next_id`` is the first subordinate id that is nobody's; ``lingers`` is whether processes outlast a log-out.
    """

    release: str
    architecture: str
    uid: int
    name: str
    in_user_namespace: bool
    namespaces: frozenset[str]
    programs: frozenset[str]
    hierarchies: Hierarchies
    delegated: tuple[str, ...]
    powerless: frozenset[str]
    next_id: int
    subordinate_ids: int
    subordinate_gids: int
    settings: dict[str, str]
    filesystems: frozenset[str]
    seccomp_actions: frozenset[str]
    tun: bool
    fuse: bool
    lowest_port: int
    lingers: bool
    user_namespace: str
    overlay: str
    overlay_in_user_namespace: str
    idmapped_mounts: str
    nftables: str
    device_programs: str
    criu: str


def look() -> Machine:
    """Look at the machine."""
    name = _name()
    return Machine(
        release=os.uname().release,
        architecture=os.uname().machine,
        uid=os.geteuid(),
        name=name,
        in_user_namespace=userns.inside(),
        namespaces=frozenset(
            kind for kind, file in namespace.FILE_OF.items() if os.path.exists(f"/proc/self/ns/{file}")
        ),
        programs=frozenset(program for program in _PROGRAMS if shutil.which(program)),
        hierarchies=read_hierarchies(),
        delegated=tuple(repr(one) for one in delegation.observe()),
        powerless=frozenset(program for program in _PROGRAMS[:2] if _is_powerless(program)),
        next_id=max(_FIRST_ID, _end_of_ids("/etc/subuid"), _end_of_ids("/etc/subgid")),
        subordinate_ids=_ids("/etc/subuid", name),
        subordinate_gids=_ids("/etc/subgid", name),
        settings={option: _setting(option) for option in _OPTIONS},
        filesystems=frozenset(line.split()[-1] for line in _text("/proc/filesystems").splitlines() if line.strip()),
        seccomp_actions=frozenset(_text("/proc/sys/kernel/seccomp/actions_avail").split()),
        tun=os.access("/dev/net/tun", os.R_OK | os.W_OK),
        fuse=os.access("/dev/fuse", os.R_OK | os.W_OK),
        lowest_port=int(_text("/proc/sys/net/ipv4/ip_unprivileged_port_start") or 1024),
        lingers=not os.path.isdir(_SYSTEMD) or os.path.exists(f"{_LINGERING}/{name}"),
        user_namespace=_in_child(lambda: namespace.unshare(Clone.NEWUSER)),
        overlay="" if os.geteuid() else _in_child(lambda: _mount_overlay(Clone.NEWNS)),
        overlay_in_user_namespace=_in_child(lambda: _mount_overlay(Clone.NEWUSER | Clone.NEWNS, "userxattr")),
        idmapped_mounts="" if os.geteuid() else _why_not(_idmap),
        nftables=_in_child(_open_nftables_inside) if os.geteuid() else _why_not(_open_nftables),
        device_programs="" if os.geteuid() else _why_not(_load_program),
        criu=_criu(),
    )


def _why_not(attempt: Callable[[], None]) -> str:
    """Try; return "" or why it fails."""
    try:
        attempt()
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _in_child(attempt: Callable[[], None]) -> str:
    """Try in a process that ends with it, so that nothing of ours changes; return "" or why it fails."""
    reader, writer = os.pipe()
    pid, pidfd = clone.clone3(0)
    if pid == 0:
        try:
            os.write(writer, _why_not(attempt).encode())
        finally:
            os._exit(0)
    os.close(writer)
    try:
        return os.read(reader, 4096).decode()
    finally:
        os.close(reader)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)


def _mount_overlay(flags: int, *options: str) -> None:
    """Mount an overlay on memory of the child's own mount namespace."""
    namespace.unshare(flags)
    if flags & Clone.NEWUSER:
        _map_root()
    mount.mount(None, "/", None, mount.MountFlag.REC | mount.MountFlag.PRIVATE)
    mount.mount("tmpfs", "/tmp", "tmpfs")  # noqa: S108 - a place that every machine has
    for name in ("lower", "upper", "work"):
        os.mkdir(f"/tmp/{name}")  # noqa: S108 - in memory of our own
    data = "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work"
    mount.mount("overlay", "/tmp/lower", "overlay", 0, ",".join([data, *options]))  # noqa: S108 - the same


def _map_root() -> None:
    """Make the caller root of its new user namespace: it has no ids to make files with otherwise."""
    uid, gid = _OUTSIDE
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "wb", buffering=0) as file:
            file.write(text.encode())


_OUTSIDE = (os.geteuid(), os.getegid())


def _idmap() -> None:
    """Map the ids of a mount of memory's file system (mount_setattr(2), 5.12+)."""
    from wharf.runtime import userns as namespaces  # noqa: PLC0415 - start-up

    own = namespaces.make("0 0 1\n", "0 0 1\n")
    try:
        filesystem = mount.fsopen("tmpfs")
        mount.create(filesystem)
        made = mount.fsmount(filesystem)
        try:
            mount.mount_setattr(made, set_=mount.MountAttr.IDMAP, userns_fd=own)
        finally:
            os.close(made)
            os.close(filesystem)
    finally:
        os.close(own)


def _open_nftables() -> None:
    nftables = Nftables()
    try:
        nftables.run([{"list": {"tables": {}}}])
    finally:
        nftables.close()


def _open_nftables_inside() -> None:
    """The same in a network namespace of a user namespace: where a plain user's engine has its networks."""
    namespace.unshare(Clone.NEWUSER | Clone.NEWNET)
    _map_root()
    _open_nftables()


def _is_powerless(program: str) -> bool:
    """Whether it is installed, but has neither the set-user-id bit nor capabilities of its file."""
    path = shutil.which(program)
    if path is None:
        return False
    try:
        return not os.stat(path).st_mode & stat.S_ISUID and "security.capability" not in os.listxattr(path)
    except OSError:
        return False


def _load_program() -> None:
    os.close(bpf.load_device_program(device_program.encode(device_program.program([{"allow": True}]))))


def _criu() -> str:
    if os.geteuid() or shutil.which("criu") is None:
        return ""
    try:
        done = run(["criu", "check"], timeout_s=_TIMEOUT_S)
    except TimeoutError as error:
        return str(error)
    lines = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else f"criu check exited with {done.code}") if done.code else ""


def _name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


def _end_of_ids(file: str) -> int:
    """Return the id behind the last one that anybody has."""
    ends = [0]
    for line in _text(file).splitlines():
        _, _, numbers = line.partition(":")
        first, _, count = numbers.partition(":")
        if first.isdigit() and count.strip().isdigit():
            ends.append(int(first) + int(count))
    return max(ends)


def _ids(file: str, name: str) -> int:
    return sum(count for _, count in ids.ranges(_text(file), name, os.geteuid()))


def _setting(option: str) -> str:
    return _text(f"/proc/sys/{option.replace('.', '/')}").strip()


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
