"""What the engine says of a start after its request, before the control socket belongs to the shim's loop."""

from __future__ import annotations

import _socket as socket
import os

from wharf.kernel import sockets
from wharf.spec.shim_wire import MAX_MESSAGE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Abandoned(Exception):
    """The engine has gone before the container could begin."""


def receive(engine: socket.socket, op: str) -> tuple[Any, list[int]]:
    """Wait for the engine's next message, which is ``op``; return it and its descriptors, owned by the caller.

    Raises:
        Abandoned: it hangs up, or says something else.
    """
    try:
        received = sockets.receive(engine, MAX_MESSAGE_BYTES)
    except ConnectionResetError:
        received = None
    if received is None:
        raise Abandoned
    if received[0].get("op") != op:
        close(received[1])
        raise Abandoned
    return received


def take_socket(fds: list[int]) -> socket.socket | None:
    """Take over the first of ``fds``, a socket; None when there is none."""
    return socket.socket(fileno=fds.pop(0)) if fds else None


def close(fds: list[int]) -> None:
    """Close what has been received; idempotent."""
    while fds:
        os.close(fds.pop())
