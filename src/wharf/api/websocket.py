"""Attaching by a websocket (RFC 6455): a container's bytes as messages, for clients that live in web pages.

Standard output and standard error come unframed, as they are written; what the client sends is standard input, and
its closing the websocket is that one's end (Engine API, "ContainerAttachWebsocket").
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from aiohttp import WSMsgType, web

from wharf.api.answers import HEADERS
from wharf.api.call import Call
from wharf.api.streams import AttachedStream
from wharf.api.takeover import CHUNK_BYTES
from wharf.errors import InvalidArgument
from wharf.lib.stdcopy import Demultiplexer


async def carry(call: Call, stream: AttachedStream) -> web.StreamResponse:
    """Make the connection a websocket and carry bytes until the process ends or the client goes; owns the stream.

    Raises:
        InvalidArgument: the client asks for no websocket.
    """
    wire = web.WebSocketResponse(heartbeat=30.0, compress=False, max_msg_size=CHUNK_BYTES * 16)
    wire.headers.update(HEADERS)
    with stream.socket as process:
        if not wire.can_prepare(call.request):
            raise InvalidArgument("websocket: the client is not using the websocket protocol")
        await wire.prepare(call.request)
        with call.open_ended():
            inwards = asyncio.ensure_future(_inwards(wire, process))
            try:
                await _outwards(wire, process, tty=stream.tty)
            finally:
                inwards.cancel()
                await asyncio.gather(inwards, return_exceptions=True)
        await wire.close()
    return wire


async def _outwards(wire: web.WebSocketResponse, process: socket.socket, *, tty: bool) -> None:
    loop, frames = asyncio.get_running_loop(), Demultiplexer()
    with suppress(ConnectionError):  # the client has gone
        while data := await loop.sock_recv(process, CHUNK_BYTES):
            for payload in [data] if tty else [payload for _, payload in frames.feed(data)]:
                await wire.send_bytes(payload)


async def _inwards(wire: web.WebSocketResponse, process: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    async for message in wire:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            break
        data = message.data if isinstance(message.data, bytes) else message.data.encode()
        try:
            await loop.sock_sendall(process, data)
        except (BrokenPipeError, ConnectionResetError):
            break  # the process reads no more; its output goes on
    with suppress(OSError):
        process.shutdown(socket.SHUT_WR)
