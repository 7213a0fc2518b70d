"""The zygote's answer to a request for a namespace (:class:`wharf.spec.shim_messages.NamespaceRequest`)."""

from __future__ import annotations

import asyncio
import os
import socket

from wharf.errors import Unavailable
from wharf.kernel import sockets
from wharf.spec.shim_wire import MAX_MESSAGE_BYTES


async def received(sock: socket.socket) -> int:
    """Wait for the answer on ``sock``; return the descriptor that it brings, owned by the caller.

    Raises:
        OSError: what the kernel said to it.
        Unavailable: the zygote died first.
    """
    sock.setblocking(False)  # noqa: FBT003  # socket's own signature
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sock, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(sock)
    answer = sockets.receive(sock, MAX_MESSAGE_BYTES, 1)
    if answer is None:
        raise Unavailable("the zygote died while it made a namespace")
    message, fds = answer
    if not fds:
        raise OSError(message["errno"], message.get("message") or os.strerror(message["errno"]))
    return fds[0]
