"""A shim's folder: its lock says whether it lives, exit.json how its container ended. Plain, blocking calls."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
import socket
from pathlib import Path

from wharf.kernel import lock, sockets
from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.libc import suppress_errno
from wharf.spec.shim_messages import Exit
from wharf.spec.shim_wire import BEGUN


def make(folder: Path) -> int:
    """Make an empty folder and return its lock's descriptor, owned by the caller.

    What an earlier shim left is removed, unless it lives.

    Raises:
        BlockingIOError: a shim lives there, or a request for one is in flight.
    """
    place = str(folder)
    while True:
        try:
            os.mkdir(place, 0o700)
            made = True
        except FileNotFoundError:
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            continue
        except FileExistsError:
            made = False
        try:
            held = lock.try_lock(f"{place}/lock")
        except FileNotFoundError:  # somebody removes it at this moment
            continue
        if held is None:
            raise BlockingIOError(errno.EWOULDBLOCK, "a shim lives there", place)
        if not made:
            _empty(place, but="lock")
        return held


def note_cgroup(folder: Path, cgroup: str) -> None:
    """Write down where a container's group is that another engine, set up otherwise, would look for elsewhere."""
    (folder / "cgroup").write_text(cgroup)


def noted_cgroup(folder: Path) -> str:
    """Return what :func:`note_cgroup` has written; "" for nothing."""
    try:
        return (folder / "cgroup").read_text()
    except FileNotFoundError:
        return ""


def is_dead(folder: Path) -> bool:
    """Return whether no shim lives there and no request for one is in flight; then none ever will."""
    if not folder.is_dir():
        return True
    try:
        held = lock.try_lock(str(folder / "lock"))
    except FileNotFoundError:
        return True
    if held is None:
        return False
    os.close(held)
    return True


def was_begun(folder: Path) -> bool:
    """Return whether a shim has ever run there."""
    try:
        return (folder / "lock").read_bytes() == BEGUN
    except FileNotFoundError:
        return False


def wait_dead(folder: Path) -> None:
    """Wait until no shim lives there: its last descriptors may still be closing when it has hung up."""
    with contextlib.suppress(FileNotFoundError):  # removed by somebody who knew
        os.close(lock.wait_lock(str(folder / "lock")))


def read_exit(folder: Path) -> Exit | None:
    """Return the recorded exit, if there is one."""
    try:
        document: Exit = json.loads((folder / "exit.json").read_bytes())
    except FileNotFoundError:
        return None
    return document


def connect(folder: Path) -> socket.socket | None:
    """Return a connection to the shim, or None when nobody listens (yet, or any more)."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sockets.connect(sock, str(folder / "shim.sock"))
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    except BaseException:
        sock.close()
        raise
    return sock


def kill_cgroup(path: str) -> None:
    """Kill all processes in a cgroup, also frozen ones; its shim sees to the rest. Nothing happens without one."""
    cgroup = open_cgroup(path)
    if cgroup.exists:
        cgroup.kill_all()


def clear_cgroup(path: str) -> None:
    """Kill whatever is left in a dead shim's cgroup and remove it; idempotent, waits up to 2 seconds.

    Raises:
        OSError: EBUSY: something in it cannot be killed.
    """
    cgroup = open_cgroup(path)
    if cgroup.exists:
        cgroup.kill_all()
        cgroup.delete()


def bury(folder: Path, graves: Path) -> Path | None:
    """Move a folder whose shim is dead or no longer needs it out of the way, at once; None when there is none."""
    grave = graves / secrets.token_hex(8)
    try:
        os.rename(folder, grave)
    except FileNotFoundError:
        if graves.is_dir():
            return None
        graves.mkdir(mode=0o700, parents=True, exist_ok=True)
        return bury(folder, graves)
    return grave


def sweep(graves: Path) -> None:
    """Remove what an earlier engine has buried, and make the place."""
    graves.mkdir(mode=0o700, parents=True, exist_ok=True)
    for grave in graves.iterdir():
        remove(grave)


def remove(folder: Path) -> None:
    """Remove a folder whose shim is dead or no longer needs it; idempotent."""
    place = str(folder)
    with suppress_errno(errno.ENOENT):
        _empty(place)
        os.rmdir(place)


def _empty(place: str, *, but: str = "") -> None:
    for name in os.listdir(place):
        if name != but:
            with suppress_errno(errno.ENOENT):
                _remove_entry(f"{place}/{name}")


def _remove_entry(path: str) -> None:
    try:
        os.unlink(path)
    except IsADirectoryError:  # another runtime's bundle and state
        shutil.rmtree(path)
