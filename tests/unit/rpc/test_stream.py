from __future__ import annotations

import asyncio

import pytest

from wharf.rpc import frames
from wharf.rpc.stream import Headers, Stream, StreamReset


class Recorded:
    """A connection that only notes what it is told."""

    def __init__(self) -> None:
        self.log: list[tuple[object, ...]] = []

    def send_headers(self, stream: Stream, headers: Headers, *, end: bool) -> None:
        self.log.append(("headers", headers, end))

    async def send_data(self, stream: Stream, data: bytes, *, end: bool) -> None:
        self.log.append(("data", data, end))

    def send_reset(self, stream: Stream, code: int) -> None:
        self.log.append(("reset", code))

    def consumed(self, stream: Stream, count: int) -> None:
        self.log.append(("consumed", count))


def test_what_came_before_a_reset_can_still_be_read() -> None:
    async def body() -> bytes:
        stream = Stream(Recorded(), 1, 100)
        reading = asyncio.ensure_future(stream.read(4))
        await asyncio.sleep(0)
        stream.feed(b"rest", 100)
        stream.feed_end()
        stream.lose(StreamReset(frames.NO_ERROR, "over"))
        return await reading

    assert asyncio.run(body()) == b"rest"


def test_a_lost_stream_ends_who_reads_and_who_writes() -> None:
    async def body() -> None:
        stream = Stream(Recorded(), 1, 100)
        stream.lose(StreamReset(frames.CANCEL, "gone"))
        with pytest.raises(StreamReset, match="gone"):
            await stream.read(1)
        with pytest.raises(StreamReset, match="gone"):
            await stream.send(b"x")
        with pytest.raises(StreamReset, match="gone"):
            await stream.wait_headers()

    asyncio.run(body())


def test_the_window_is_given_back_as_bytes_are_read_and_for_what_is_waited_for() -> None:
    async def body() -> list[tuple[object, ...]]:
        wire = Recorded()
        stream = Stream(wire, 1, 100)
        stream.feed(b"x" * 1_100_000, 1 << 21)
        await stream.read(10)
        assert wire.log == []
        await stream.read(1_099_000)
        waiting = asyncio.ensure_future(stream.read(5000))
        await asyncio.sleep(0)
        waiting.cancel()
        return wire.log

    assert asyncio.run(body()) == [("consumed", 1_099_010), ("consumed", 990)]


def test_more_than_the_window_is_noticed() -> None:
    async def body() -> bool:
        return Stream(Recorded(), 1, 0).feed(b"12345", 4)

    assert not asyncio.run(body())


def test_giving_up_says_so_once_and_gives_back_what_nobody_read() -> None:
    async def body() -> list[tuple[object, ...]]:
        wire = Recorded()
        stream = Stream(wire, 1, 100)
        stream.feed(b"unread", 100)
        stream.reset()
        stream.reset()
        return wire.log

    assert asyncio.run(body()) == [("consumed", 6), ("reset", frames.CANCEL)]
