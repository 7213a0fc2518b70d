"""What the command line and its process give to create, run and exec: descriptors, terminal, pid file."""

from __future__ import annotations

import os

from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.runtime.started import Started
    from wharf.spec.oci_runtime import Process

    Warn = Callable[[str], None]


class Asked:
    """The options that create, run and exec have in common.

    Attributes:
        warn: is told what is not as it was asked for.
        console_socket: path of the socket that gets the terminal's master; "" for none.
        pidfd_socket: path of the socket that gets a descriptor of the process; "" for none.
        pid_file: path of the file that gets the process's id; "" for none.
        preserve_fds: how many descriptors after those of LISTEN_FDS the process gets.
        detach: do not wait for it.
        waits: another command will start it.
        systemd: have systemd make the control group.
        pivot, keyring: as in :class:`wharf.runtime.invocation.Invocation`.
    """

    __slots__ = (
        "console_socket",
        "detach",
        "keyring",
        "pid_file",
        "pidfd_socket",
        "pivot",
        "preserve_fds",
        "systemd",
        "waits",
        "warn",
    )

    def __init__(self, warn: Warn) -> None:
        self.warn = warn
        self.console_socket = self.pidfd_socket = self.pid_file = ""
        self.preserve_fds = 0
        self.detach = self.waits = self.systemd = False
        self.pivot = self.keyring = True


def check_console(process: Process, asked: Asked) -> None:
    """Refuse a terminal that nobody would get, and a socket for one that is not there.

    Raises:
        InvalidArgument: why.
    """
    if process.get("terminal") and asked.detach and not asked.console_socket:
        raise InvalidArgument("cannot allocate tty without --console-socket")
    if asked.console_socket and not process.get("terminal"):
        raise InvalidArgument("--console-socket is only for a process with a terminal")


def kept_fds(process: Process, asked: Asked) -> int:
    """Return how many descriptors from 3 on the process gets; tell it in its environment of those it shall listen on.

    See sd_listen_fds(3): LISTEN_PID is 1, for it is the container's first process, or its only one that asks.

    Raises:
        InvalidArgument: one of them is not open.
    """
    listen = os.environ.get("LISTEN_FDS", "")
    count = asked.preserve_fds
    if listen:
        if not listen.isdigit():
            raise InvalidArgument(f"LISTEN_FDS is not a number: {listen}")
        count += int(listen)
        process["env"] = [*(process.get("env") or ()), f"LISTEN_FDS={listen}", "LISTEN_PID=1"]
    for fd in range(3, 3 + count):
        try:
            os.fstat(fd)
        except OSError:
            raise InvalidArgument(f"descriptor {fd} is to be preserved, but it is not open") from None
    return count


def announce(started: Started, asked: Asked) -> None:
    """Say what could not be granted, hand the terminal and the process over, and write the pid file."""
    for warning in started.warnings:
        asked.warn(warning)
    if started.console is not None and asked.console_socket:
        _hand_over(asked.console_socket, b"/dev/ptmx", started.console)
        os.close(started.console)
        started.console = None
    if asked.pidfd_socket:
        _hand_over(asked.pidfd_socket, b"pidfd", started.pidfd)
    if asked.pid_file:
        temporary = f"{asked.pid_file}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(str(started.pid))
        os.replace(temporary, asked.pid_file)


def _hand_over(path: str, name: bytes, fd: int) -> None:
    import socket  # noqa: PLC0415 - start-up

    from wharf.kernel import sockets  # noqa: PLC0415 - start-up

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sockets.connect(sock, path)
        socket.send_fds(sock, [name], [fd])
