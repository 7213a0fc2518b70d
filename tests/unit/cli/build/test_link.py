from __future__ import annotations

import asyncio
import socket

import pytest

from wharf.cli.build.link import WireLink
from wharf.client.http1 import Wire


def test_bytes_go_both_ways_until_an_end_closes() -> None:
    async def talk() -> tuple[bytes, bytes, bytes]:
        ours, theirs = socket.socketpair()
        with theirs:
            link = WireLink(Wire(ours))
            link.write(b"ping")
            await link.drained()
            heard = await asyncio.to_thread(theirs.recv, 10)
            theirs.sendall(b"pong")
            answer = await link.receive()
            theirs.shutdown(socket.SHUT_WR)
            end = await link.receive()
            await link.aclose()
        ours.close()
        return heard, answer, end

    assert asyncio.run(talk()) == (b"ping", b"pong", b"")


def test_whoever_reads_is_woken_when_the_link_is_closed() -> None:
    async def close() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            link = WireLink(Wire(ours))
            reading = asyncio.create_task(link.receive())
            await asyncio.sleep(0)
            await link.aclose()
            return await asyncio.wait_for(reading, 60)

    assert asyncio.run(close()) == b""


async def _write_for_ever(link: WireLink) -> None:
    while True:
        link.write(bytes(1 << 16))
        await link.drained()
        await asyncio.sleep(0)


def test_a_writer_learns_that_the_other_side_has_gone() -> None:
    async def write() -> None:
        ours, theirs = socket.socketpair()
        theirs.close()
        with ours:
            link = WireLink(Wire(ours))
            with pytest.raises(ConnectionError):
                await _write_for_ever(link)
            await link.aclose()

    asyncio.run(write())


def test_what_was_written_before_the_end_is_sent_in_order() -> None:
    async def talk() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            link = WireLink(Wire(ours))
            for number in range(100):
                link.write(b"%02d" % number)
            link.close()
            link.write(b"late")
            await link.aclose()
            return await asyncio.to_thread(theirs.recv, 1000, socket.MSG_WAITALL)

    assert asyncio.run(talk()) == b"".join(b"%02d" % number for number in range(100))
