from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, Fault, breaks_off, serving

from wharf.errors import InvalidArgument, Unavailable
from wharf.images.registry.reading import read_start, read_whole


def read(fault: Fault, how: Callable[[aiohttp.ClientResponse], Awaitable[bytes]]) -> bytes:
    async def ask() -> bytes:
        async with (
            serving(FakeRegistry(faults=[fault])) as fake,
            aiohttp.ClientSession() as session,
            session.get(f"http://{fake.address}/") as response,
        ):
            return await how(response)

    return asyncio.run(ask())


def in_pieces(*pieces: bytes) -> Fault:
    async def fault(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)  # so that the other side is given it by itself
        return response

    return fault


def test_an_answer_in_pieces_is_read_to_its_end() -> None:
    assert read(in_pieces(b"one", b"two"), lambda response: read_whole(response, 6, "x")) == b"onetwo"
    assert read(in_pieces(b"one", b"two"), lambda response: read_start(response, 100)) == b"onetwo"


def test_an_answer_has_a_bound() -> None:
    with pytest.raises(InvalidArgument, match="x: the registry sends more than 5 bytes"):
        read(in_pieces(b"one", b"two"), lambda response: read_whole(response, 5, "x"))
    assert read(in_pieces(b"one", b"two"), lambda response: read_start(response, 4)) == b"onet"


def test_an_answer_that_breaks_off_is_no_answer_but_may_tell_why_it_failed() -> None:
    with pytest.raises(Unavailable, match="x: the answer broke off"):
        read(breaks_off(b"one", 10), lambda response: read_whole(response, 100, "x"))
    assert read(breaks_off(b"one", 10), lambda response: read_start(response, 100)) == b"one"
