"""The kinds of answer a handler can give."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import msgspec
from aiohttp import web

from wharf.api.call import Call
from wharf.api.errors import error_line, message_of
from wharf.api.streams import AttachedStream
from wharf.api.takeover import ClientEnd, reframing, tunnel
from wharf.api.versions import stream_type
from wharf.errors import InvalidArgument, WharfError
from wharf.lib.stdcopy import STDOUT, frame
from wharf.lib.version import API_VERSION, __version__

T = TypeVar("T")

HEADERS: Mapping[str, str] = {
    "Api-Version": API_VERSION,
    "Docker-Experimental": "false",
    "Ostype": "linux",
    "Server": f"Wharf/{__version__} (linux)",
}

_SWITCH = {"Connection": "Upgrade", "Upgrade": "tcp"}


def _same(item: object) -> object:
    return item


def empty(status: int = 204) -> web.Response:
    """Answer without a body."""
    return web.Response(status=status, headers=HEADERS)


def document(body: object, status: int = 200) -> web.Response:
    """Answer with one JSON document."""
    return web.Response(
        status=status,
        body=msgspec.json.encode(body) + b"\n",
        content_type="application/json",
        headers=HEADERS,
    )


async def begin(call: Call, content_type: str, headers: Mapping[str, str] | None = None) -> web.StreamResponse:
    """Send status 200 and the headers at once; the body follows as it comes."""
    response = web.StreamResponse(status=200, headers={**HEADERS, **(headers or {}), "Content-Type": content_type})
    await response.prepare(call.request)
    return response


class _Closable(Protocol):
    async def aclose(self) -> None:
        """Stop."""


@asynccontextmanager
async def closing(iterator: object) -> AsyncIterator[None]:
    """Close an asynchronous iterator at the end, when it can be closed."""
    try:
        yield
    finally:
        if hasattr(iterator, "aclose"):
            await cast("_Closable", iterator).aclose()


@dataclass(frozen=True, slots=True)
class Framing:
    """How the documents of a stream are set apart."""

    content_type: str = "application/json"
    before: bytes = b""

    def frame(self, item: object) -> bytes:
        """Return one document as it is sent."""
        return self.before + msgspec.json.encode(item) + b"\n"


JSON_LINES = Framing()


async def lines(
    call: Call,
    documents: AsyncIterator[T],
    *,
    at_once: bool = False,
    fails_in_line: bool = False,
    shape: Callable[[T], object] = _same,
    framing: Framing = JSON_LINES,
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """Answer with one JSON document a line, each sent when it comes.

    What fails before anything was sent is an answer of its own; after that, it is a line (Docker's ``errorDetail``).

    Args:
        call: The request.
        documents: Closed at the end.
        at_once: Send the headers before the first document.
        fails_in_line: Let all that fails be a line, whether or not anything was sent.
        shape: Applied to each document.
        framing: The media type, and how documents are set apart in it.
        headers: More of them.
    """
    response = await begin(call, framing.content_type, headers) if at_once else None
    with call.open_ended():
        async with closing(documents):
            try:
                async for item in documents:
                    response = response or await begin(call, framing.content_type, headers)
                    await response.write(framing.frame(shape(item)))
            except WharfError as error:
                if response is None and not fails_in_line:
                    raise
                response = response or await begin(call, framing.content_type, headers)
                await response.write(framing.frame(error_line(error)))
    response = response or await begin(call, framing.content_type, headers)
    await response.write_eof()
    return response


async def raw(
    call: Call,
    chunks: AsyncIterator[bytes],
    content_type: str,
    *,
    at_once: bool,
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """Answer with bytes as they come; what fails after the headers cuts the answer off, which a client can tell."""
    response = await begin(call, content_type, headers) if at_once else None
    with call.open_ended():
        async with closing(chunks):
            try:
                async for chunk in chunks:
                    response = response or await begin(call, content_type, headers)
                    await response.write(chunk)
            except WharfError as error:
                if response is None:
                    raise
                raise ConnectionAbortedError(str(error)) from error
    response = response or await begin(call, content_type, headers)
    await response.write_eof()
    return response


async def later(call: Call, outcome: Awaitable[object]) -> web.StreamResponse:
    """Answer 200 at once, and with a JSON document when it is there."""
    waiting = asyncio.ensure_future(outcome)
    try:
        response = await begin(call, "application/json")
        with call.open_ended():
            body = await waiting
    finally:
        waiting.cancel()
    await response.write_eof(msgspec.json.encode(body) + b"\n")
    return response


class Over(web.StreamResponse):
    """Stands for an answer that is over already, so that aiohttp adds nothing to it and closes the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Send nothing."""


async def take_over(call: Call, stream: AttachedStream) -> web.StreamResponse:
    """Turn the connection into the attached process's stdio, until that ends or the client goes."""
    try:
        client = await end_http(call, tty=stream.tty)
    except BaseException:
        stream.socket.close()
        raise
    return await carry(call, client, stream, tty=stream.tty)


async def carry(call: Call, client: ClientEnd, stream: AttachedStream, *, tty: bool) -> web.StreamResponse:
    """Carry bytes until the process ends or the client goes; raw ones with ``tty``, frames else, as was announced."""
    with call.until_stopped():
        await tunnel(client, stream.socket, reframing(given_raw=stream.tty, wanted_raw=tty))
    return Over()


async def tell_instead(client: ClientEnd, error: Exception, *, tty: bool) -> web.StreamResponse:
    """Send what went wrong as the only output.

    Docker answers so when a process cannot be started: its clients take any status but success for a broken
    connection, and ask for the exit code afterwards.
    """
    text = f"{message_of(error)}\r\n".encode()
    await client.caught_up()
    await client.write(text if tty else frame(STDOUT, text))
    return Over()


async def end_http(call: Call, *, tty: bool) -> ClientEnd:
    """Answer that the connection is a stream from now on, and return the client's end of it.

    Raises:
        InvalidArgument: the request is not the last thing before the client's own bytes.
    """
    client = _taken_over(call)
    # Who has not asked for another protocol is told of no frames, though they come: dockerd says no more either.
    fields = {"Content-Type": stream_type(call.version, tty=tty or not client.upgrade), **HEADERS}
    status = "200 OK"
    if client.upgrade:
        status, fields = "101 UPGRADED", {**fields, **_SWITCH}
    await _send_head(client, status, fields)
    return client


async def switch_protocols(call: Call, protocol: str) -> ClientEnd:
    """Answer that the connection speaks another protocol from now on, and return the client's end of it.

    Raises:
        InvalidArgument: the client has not asked for it.
    """
    client = upgrading(call, protocol)
    await _switch(client, protocol)
    return client


async def hand_over(call: Call, protocol: str) -> socket.socket:
    """Answer as :func:`switch_protocols`, and return a socket of the caller's own to the client.

    Raises:
        InvalidArgument: the client has not asked for it, or is not at a unix socket.
    """
    client = upgrading(call, protocol)
    connection = client.own_socket()
    try:
        await _switch(client, protocol)
    except BaseException:
        connection.close()
        raise
    return connection


def upgrading(call: Call, protocol: str) -> ClientEnd:
    """Return the client's end of a connection that is to speak another protocol.

    Raises:
        InvalidArgument: the client has not asked for it.
    """
    client = _taken_over(call)
    if client.upgrade.lower() != protocol:
        asked = f"protocol {client.upgrade} not supported" if client.upgrade else "no upgrade proto in request"
        raise InvalidArgument(asked)
    return client


async def _switch(client: ClientEnd, protocol: str) -> None:
    await _send_head(client, "101 Switching Protocols", {"Connection": "Upgrade", "Upgrade": protocol, **HEADERS})


def _taken_over(call: Call) -> ClientEnd:
    client = call.connection.client
    if client is None:  # its end could not be told, so neither could the beginning of the client's own bytes
        raise InvalidArgument("a request that takes over its connection must not be chunked or pipelined")
    return client


async def _send_head(client: ClientEnd, status: str, fields: Mapping[str, str]) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    await client.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode())
