"""Sockets that a service manager opened for us, and telling it that we are ready (sd_listen_fds(3), sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final

from wharf.errors import InvalidArgument

_FIRST: Final = 3  # SD_LISTEN_FDS_START


def inherited(environment: Mapping[str, str], process: int) -> list[tuple[int, str]]:
    """Return the descriptors that were passed to ``process``, each with its name. Pure.

    Raises:
        InvalidArgument: the environment names a number of them that is none.
    """
    if environment.get("LISTEN_PID") != str(process):
        return []
    try:
        count = int(environment.get("LISTEN_FDS", "0"))
    except ValueError as error:
        raise InvalidArgument(f"LISTEN_FDS is {environment['LISTEN_FDS']!r}, not a number") from error
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    return [(_FIRST + i, names[i] if i < len(names) else "") for i in range(count)]


def adopt(which: str, environment: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """Return the listening sockets that were passed to us: all, or that of a number or name.

    Raises:
        InvalidArgument: there is none.
    """
    passed = inherited(environment, os.getpid())
    chosen = [number for number, name in passed if which in ("", str(number), name)]
    if not chosen:
        raise InvalidArgument(f"fd://{which}: no such socket was passed: is wharfd started by socket activation?")
    found = []
    for number in chosen:
        made = socket.socket(fileno=number)
        made.set_inheritable(False)  # Python's own
        made.settimeout(0)
        if not made.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            made.detach()
            raise InvalidArgument(f"fd://{which}: descriptor {number} is not a listening socket")
        found.append(made)
    return found


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Tell the service manager, when there is one that listens: ``READY=1``, ``STOPPING=1``."""
    path = environment.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.send(state.encode())
