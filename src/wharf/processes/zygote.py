"""Starts and stops the zygote program (see :mod:`wharf.shim.zygote`)."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import socket
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import wharf
from wharf.errors import Unavailable
from wharf.kernel import memfd, sockets
from wharf.processes.outlet import Outlet
from wharf.spec.shim_messages import Usual

ENTRY = "from wharf.shim.zygote import main; main()"
_SOCKET_FD, _USUAL_FD = 3, 4
_END_TIMEOUT_S = 2.0
_FIRST_FREE_FD = 10  # above what the child's descriptors are moved to


class Zygote:
    """A running zygote; owns its process and its socket."""

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)
        self._sock = sock
        self._outlet = Outlet(sock)
        sock.setblocking(False)  # noqa: FBT003  # socket's own signature

    async def request(self, message: dict[str, Any], fds: Sequence[int]) -> None:
        """Hand a request over; it is in flight, or taken, when this returns.

        Raises:
            OSError: EPIPE or ECONNRESET: the zygote is dead, and nothing was handed over.
        """
        await self._outlet.send(message, fds)

    async def end(self) -> None:
        """Hang up, wait for the process to end, and reap it; idempotent. It is killed when that takes 2 seconds."""
        if self._pidfd < 0:
            return
        self._outlet.let_go()
        self._sock.close()
        pidfd, self._pidfd = self._pidfd, -1
        try:
            await _exited(pidfd, _END_TIMEOUT_S)
        except TimeoutError:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            await _exited(pidfd, None)
        finally:
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)  # noqa: ASYNC222  # WNOHANG: it waits for nothing
            os.close(pidfd)


def start(entry: str = ENTRY, usual: Usual | None = None, open_files: int | None = None) -> Zygote:
    """Start a zygote from a sealed copy of this interpreter; returns before it has finished its imports.

    Args:
        entry: the program text; another one is for tests.
        usual: what it prepares for.
        open_files: its soft limit of those (RLIMIT_NOFILE), and of all that it starts; None: that of this process.

    Raises:
        Unavailable: the interpreter could not be copied or executed.
    """
    ours, theirs = sockets.pair()
    try:
        with theirs:
            pid = _execute(entry, theirs.fileno(), json.dumps(usual).encode() if usual else b"")
    except OSError as error:
        ours.close()
        raise Unavailable(f"cannot start the zygote: {error}") from error
    if open_files is not None:  # it starts nothing before it is asked to
        import resource  # noqa: PLC0415  # a library of its own

        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return Zygote(pid, ours)


def program(entry: str) -> list[str]:
    """Return the arguments that run ``entry`` isolated from the environment and without site packages.

    The real interpreter's path as its name is how Python finds its own library.
    """
    paths = [str(Path(wharf.__file__).parent.parent), sysconfig.get_path("stdlib")]
    return [
        os.path.realpath(sys.executable),
        "-I",
        "-S",
        "-B",
        "-c",
        f"import sys; sys.path[:0] = {paths!r}; {entry}",
    ]


def _buses() -> dict[str, str]:
    """Return what says where systemd is asked (:func:`wharf.kernel.dbus.bus_path`)."""
    names = ("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in names if name in os.environ}


def _execute(entry: str, sock: int, usual: bytes) -> int:
    arguments = program(entry)
    copy, document = memfd.sealed_copy(arguments[0]), memfd.sealed(usual, "usual")
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD) for fd in (copy, sock, document)]
    try:
        return os.posix_spawn(
            f"/proc/self/fd/{high[0]}",
            arguments,
            {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **_buses()},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, 0, 1),
                (os.POSIX_SPAWN_DUP2, high[1], _SOCKET_FD),
                (os.POSIX_SPAWN_DUP2, high[2], _USUAL_FD),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
        )
    finally:
        for fd in (copy, document, *high):
            os.close(fd)


async def _exited(pidfd: int, timeout_s: float | None) -> None:
    loop = asyncio.get_running_loop()
    exited = asyncio.Event()
    loop.add_reader(pidfd, exited.set)
    try:
        async with asyncio.timeout(timeout_s):
            await exited.wait()
    finally:
        loop.remove_reader(pidfd)
