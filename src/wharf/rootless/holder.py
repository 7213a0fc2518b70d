"""Makes a user's namespaces, and the process that keeps them while no engine runs but containers do.

::

    launcher (the user, outside)            child
                                            unshare(user)
                                  ◀─ "user"
    newuidmap, newgidmap
                       "mapped" ─▶          becomes root; unshare(mount, cgroup, network); mounts
                                  ◀─ "made", or why not
    pasta or slirp4netns
                                            executes a bare interpreter that waits for ever

The holder has no parent and no terminal; only SIGKILL ends it, and with it, once nobody else is in them, the
namespaces (:func:`end`).
"""

from __future__ import annotations

import errno
import os
import pwd
import sys

from wharf.errors import NotImplementedHere, Unavailable
from wharf.kernel import link, mount, namespace, pidfd, process
from wharf.kernel.libc import suppress_errno
from wharf.kernel.namespace import Clone
from wharf.kernel.signals import raw as signal
from wharf.rootless import delegation, ids, uplink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal, NoReturn

    from wharf.rootless.delegation import Delegated
    from wharf.rootless.world import Folder
    from wharf.spec.rootless import World

    Ids = Literal["subordinate", "single"]

_NO_NAMESPACES: Final = (
    "this machine lets plain users make no user namespaces ({reason}): have its administrator set "
    "user.max_user_namespaces (and, where they exist, kernel.unprivileged_userns_clone=1 and "
    "kernel.apparmor_restrict_unprivileged_userns=0), or run wharf as root; 'wharf doctor' tells more"
)
_REASONS: Final = {errno.ENOSPC: "user.max_user_namespaces allows no more"}
"""What unshare(2) means by an errno that says something else."""

_WAIT: Final = (
    "import signal\n"
    "for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)\n"
    "while True: signal.pause()"
)
_EXIT_TIMEOUT_S: Final = 5.0


def make(folder: Folder, environment: dict[str, str]) -> World:
    """Make the namespaces and write down what they are; the caller holds the folder's lock.

    Raises:
        NotImplementedHere: the machine does not let this user.
        Unavailable: something else failed; nothing is left.
    """
    candidates = uplink.choose(environment)
    lacks = [*candidates.lacks]
    for program in [*candidates.programs, "none"]:
        world = _make(folder, program)
        if program != "none":
            try:
                world["network_pid"] = uplink.start(program, world["pid"], folder.path)
            except (Unavailable, TimeoutError) as error:
                end_processes(world)
                lacks.append(f"networks: {error}")
                continue
        world["lacks"] += lacks
        folder.write(world)
        return world
    raise AssertionError("the last candidate needs no program")


def _make(folder: Folder, program: str) -> World:
    delegated = delegation.observe()
    here, there = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here[0])
        os.close(there[1])
        _live(folder, here[1], there[0], delegated, program)
    os.close(here[1])
    os.close(there[0])
    try:
        pid = int(_hear(here[0], "user"))
        mapped, lacks = _map_ids(pid)
        os.write(there[1], b"mapped")
        _hear(here[0], "made")
    except OSError as error:
        raise Unavailable(f"cannot make a user namespace: {error}") from error
    finally:
        os.close(here[0])
        os.close(there[1])
        os.waitpid(child, 0)
    return {
        "pid": pid,
        "uid": os.getuid(),
        "ids": mapped,
        "network": program,  # type: ignore[typeddict-item]  # one of uplink.PROGRAMS, or none
        "network_pid": 0,
        "lowest_port": int(_text("/proc/sys/net/ipv4/ip_unprivileged_port_start") or 1024),
        "cgroup_v2": delegation.unified(delegated),
        "cgroups": sorted(_controllers(delegated)),
        "lacks": [*lacks, *([] if delegated else ["limits: no control group is delegated to this user"])],
    }


def _controllers(delegated: list[Delegated]) -> set[str]:
    found = {name for one in delegated for name in one.controllers if "=" not in name}
    for one in delegated:
        if not one.controllers:
            with open(f"{one.folder}/cgroup.controllers", encoding="ascii") as file:
                found.update(file.read().split())
    return found


def _hear(reader: int, word: str) -> str:
    """Return what follows ``word`` in the child's next message; anything else it says is why it could not go on."""
    said = os.read(reader, 4096).decode(errors="replace")
    if not said.startswith(word):
        kind, _, text = said.partition(":")
        if kind == "forbidden":
            raise NotImplementedHere(_NO_NAMESPACES.format(reason=text))
        raise Unavailable(f"cannot make a user namespace: {text or said or 'its process died'}")
    return said.removeprefix(word).strip()


def _map_ids(pid: int) -> tuple[Ids, list[str]]:
    """Give the new namespace its ids; return which, and why there are no more."""
    uid, gid = os.getuid(), os.getgid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    lack = ""
    for file, own, program in (("/etc/subuid", uid, "newuidmap"), ("/etc/subgid", gid, "newgidmap")):
        lack = lack or _map_subordinate(pid, file, ids.ranges(_text(file), name, uid), own, program)
    if not lack:
        return "subordinate", []
    with open(f"/proc/{pid}/setgroups", "w", encoding="ascii") as setgroups:
        setgroups.write("deny")
    for kind, own in (("uid", uid), ("gid", gid)):
        with suppress_errno(errno.EPERM), open(f"/proc/{pid}/{kind}_map", "wb", buffering=0) as file_map:
            file_map.write(f"0 {own} 1".encode())
    return "single", [f"users: {lack}: root is the only user in containers, and owns every file"]


def _map_subordinate(pid: int, file: str, ranges: list[tuple[int, int]], own: int, program: str) -> str:
    if not ranges:
        return f"{file} gives this user no ids"
    try:
        done = process.run([program, *ids.arguments(pid, ids.rows(own, ranges))], timeout_s=10)
    except FileNotFoundError:
        return f"{program} is not installed"
    return f"{program}: {done.stderr.decode(errors='replace').strip()}" if done.code else ""


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _live(folder: Folder, writer: int, reader: int, delegated: list[Delegated], program: str) -> NoReturn:
    """Be the child: become the holder, or say why not and end. Forked once more, so that it has no parent."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        held = os.open(folder.holder, os.O_RDWR | os.O_CREAT, 0o600)
        import fcntl  # noqa: PLC0415 - the lock module's descriptors do not outlive an exec

        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            namespace.unshare(Clone.NEWUSER)
        except OSError as error:
            os.write(writer, f"forbidden:{_REASONS.get(error.errno or 0, (error.strerror or '').lower())}".encode())
            os._exit(1)
        os.write(writer, f"user {os.getpid()}".encode())
        if os.read(reader, 16) != b"mapped":
            os._exit(1)
        become_root()
        _make_world(folder, delegated, program)
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        os.set_inheritable(held, True)  # noqa: FBT003 - os's own signature
        os.write(writer, b"made")
        os.execve(sys.executable, ["wharf-rootless", "-I", "-S", "-c", _WAIT], {"LC_ALL": "C.UTF-8"})  # noqa: S606
    except BaseException as error:  # noqa: BLE001 - it goes to the launcher, which raises it
        os.write(writer, f"failed:{error}".encode())
    finally:
        os._exit(1)


def become_root() -> None:
    """Take the ids of root in the user namespace that the caller is in."""
    with suppress_errno(errno.EPERM):  # where setgroups is denied, the groups stay, as the kernel wants it
        os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _make_world(folder: Folder, delegated: list[Delegated], program: str) -> None:
    network = Clone.NEWNET if program != "none" else 0
    namespace.unshare(Clone.NEWNS | Clone.NEWCGROUP | Clone.NEWIPC | Clone.NEWUTS | network)
    mount.mount(None, "/", None, mount.MountFlag.REC | mount.MountFlag.SLAVE)
    pure_v2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    if v2 := delegation.unified(delegated):
        delegation.leave_root(v2)
    delegation.mount_all(delegated, pure_v2=pure_v2)
    if network:
        link.set_loopback_up()
    if program == "slirp4netns":
        file = f"{folder.path}/resolv.conf"
        with open(file, "w", encoding="ascii") as out:
            out.write(f"nameserver {uplink.SLIRP_DNS}\n")
        mount.mount(file, os.path.realpath("/etc/resolv.conf"), None, mount.MountFlag.BIND)


def end_processes(world: World) -> None:
    """End the holder, which must be known to live, and what carries its packets."""
    _end(world["pid"], signal.SIGKILL)
    if world["network_pid"]:
        _end(world["network_pid"], signal.SIGTERM)


def _end(pid: int, number: int) -> None:
    with suppress_errno(errno.ESRCH):
        fd = pidfd.pidfd_open(pid)
        try:
            pidfd.send_signal(fd, number)
            pidfd.has_exited(fd, _EXIT_TIMEOUT_S)
        finally:
            os.close(fd)
