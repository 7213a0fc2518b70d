"""Namespaces that the engine asks for: it has threads, and with those a process makes no user namespace."""

from __future__ import annotations

import _socket as socket
import errno
import os

from wharf.kernel import sockets
from wharf.kernel.libc import suppress_errno
from wharf.runtime import userns
from wharf.shim import orders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def make(message: dict[str, Any], fds: list[int]) -> None:
    """Answer a *namespace* request, on the socket that came with it: by a descriptor, or by the kernel's error.

    Raises:
        ValueError: it is malformed. The engine sees the socket end.
    """
    if not fds or not all(isinstance(message.get(name), str) for name in ("uid_map", "gid_map")):
        raise ValueError("a malformed request for a namespace")
    answer = socket.socket(fileno=fds.pop(0))
    try:
        made = _made(message, fds)
    except OSError as error:
        _send(answer, {"errno": error.errno, "message": error.strerror}, [])
    else:
        _send(answer, {}, [made])
        os.close(made)
    finally:
        answer.close()
        orders.close(fds)


def _made(message: dict[str, Any], fds: list[int]) -> int:
    if fds:
        return userns.make_network(fds[0])
    return userns.make(message["uid_map"], message["gid_map"], network=message.get("network") is True)


def _send(answer: socket.socket, message: dict[str, Any], made: list[int]) -> None:
    with suppress_errno(errno.EPIPE, errno.ECONNRESET):  # the engine does not wait any more
        sockets.send(answer, message, made)
