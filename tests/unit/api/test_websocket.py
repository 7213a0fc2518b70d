"""Attaching by a websocket, with aiohttp's own client on the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from tests.fakes.engine import frame
from tests.fakes.http import Served, scenario


@asynccontextmanager
async def attached(served: Served) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = "http://d/v1.47/containers/c/attach/ws?stream=1&stdin=1&stdout=1"
    connector = aiohttp.UnixConnector(str(served.path))
    async with aiohttp.ClientSession(connector=connector) as session, session.ws_connect(url) as wire:
        yield wire


@scenario
async def test_bytes_go_both_ways_unframed(served: Served) -> None:
    stream = served.stream()
    served.engine.containers.answers["attach"] = stream
    loop = asyncio.get_running_loop()
    async with attached(served) as wire:
        await wire.send_bytes(b"in")
        got = await loop.sock_recv(stream.far, 100)
        await loop.sock_sendall(stream.far, frame(1, b"out") + frame(2, b"err"))
        said = [await wire.receive_bytes(), await wire.receive_bytes()]
        stream.far.close()
        end = await wire.receive()

    assert (got, said, end.type) == (b"in", [b"out", b"err"], aiohttp.WSMsgType.CLOSE)


@scenario
async def test_what_a_terminal_writes_is_passed_on_as_it_is(served: Served) -> None:
    stream = served.stream(tty=True)
    served.engine.containers.answers["attach"] = stream
    async with attached(served) as wire:
        await asyncio.get_running_loop().sock_sendall(stream.far, b"\x1b[1mbold")

        assert await wire.receive_bytes() == b"\x1b[1mbold"


@scenario
async def test_the_client_that_closes_ends_standard_input(served: Served) -> None:
    stream = served.stream()
    served.engine.containers.answers["attach"] = stream
    async with attached(served) as wire:
        await wire.close()
        assert await asyncio.get_running_loop().sock_recv(stream.far, 100) == b""


@scenario
async def test_a_request_for_no_websocket_is_refused(served: Served) -> None:
    served.engine.containers.answers["attach"] = served.stream()
    answer = await served.ask("GET", "/containers/c/attach/ws?stream=1")

    assert (answer.status, "websocket" in answer.json["message"]) == (400, True)
