"""Going into a user's namespaces, and ending them when nobody is left in them."""

from __future__ import annotations

import errno
import os
import time

from wharf.errors import Conflict, Unavailable
from wharf.kernel import lock, namespace
from wharf.kernel.libc import suppress_errno
from wharf.kernel.namespace import Clone
from wharf.lib.places import ROOTLESS, places
from wharf.rootless import delegation, holder
from wharf.rootless.world import Folder, open_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from wharf.spec.rootless import World


_PATIENCE_S: Final = 1.0
_POLL_S: Final = 0.02
_NAMESPACES: Final = Clone.NEWUSER | Clone.NEWNS | Clone.NEWCGROUP | Clone.NEWIPC | Clone.NEWUTS


def enter(environment: Mapping[str, str]) -> dict[str, str]:
    """Make the caller root in its user's namespaces, made first if need be; return its environment from then on.

    The caller has one thread, and there is no way back.

    Raises:
        NotImplementedHere: the machine does not let this user have a namespace.
        Conflict: the namespaces have a control group that the caller cannot enter from where it is.
        Unavailable, Forbidden: something else is in the way.
    """
    uid = os.geteuid()
    own = places(uid, environment)
    folder = open_folder(own)
    held = lock.wait_lock(folder.lock)
    try:
        world = folder.read() or holder.make(folder, dict(environment))
        _enter(world)
    finally:
        os.close(held)
    runtime_folder = os.path.dirname(own.run_root)
    # What follows is root's there, but its places are the user's.
    return {**environment, ROOTLESS: str(uid), "XDG_RUNTIME_DIR": runtime_folder}


def _enter(world: World) -> None:
    where = os.getcwd()
    if world["cgroup_v2"]:
        try:
            delegation.enter_leaf(world["cgroup_v2"])
        except OSError as error:
            raise Conflict(
                f"this user's engines have the control group {world['cgroup_v2']}, which cannot be entered from here "
                f"({(error.strerror or '').lower()}): start wharf from the session that did first"
            ) from error
    network = Clone.NEWNET if world["network"] != "none" else 0
    try:
        fd = os.pidfd_open(world["pid"])
        try:
            namespace.setns(fd, _NAMESPACES | network)
        finally:
            os.close(fd)
    except OSError as error:
        raise Unavailable(f"cannot enter the user namespace of process {world['pid']}: {error}") from error
    holder.become_root()
    with suppress_errno(errno.ENOENT, errno.EACCES):  # the root folder then
        os.chdir(where)


def leave(environment: Mapping[str, str]) -> None:
    """End the namespaces that the caller is in, unless somebody else is in them still: then these keep them.

    For the last thing that a program in them does; it does nothing outside.
    """
    if not environment.get(ROOTLESS):
        return
    folder = Folder(f"{places(os.geteuid(), environment).run_root}/rootless")
    held = lock.wait_lock(folder.lock)
    try:
        world = folder.read()
        if world is not None and _are_alone(world["pid"]):
            holder.end_processes(world)
    finally:
        os.close(held)


def _are_alone(holder_pid: int) -> bool:
    """Return whether nobody else is there, or will be in a moment: the last container's shim may still be ending."""
    end = time.monotonic() + _PATIENCE_S
    while others(holder_pid):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_S)
    return True


def others(holder_pid: int) -> list[int]:
    """Return the processes in the caller's user namespace besides the caller and the holder."""
    ours = os.stat("/proc/self/ns/user").st_ino
    found: list[int] = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in (holder_pid, os.getpid()):
            continue
        with suppress_errno(errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM):
            if os.stat(f"/proc/{name}/ns/user").st_ino == ours and not _is_zombie(name):
                found.append(int(name))
    return found


def _is_zombie(pid: str) -> bool:
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0] in "ZX"
