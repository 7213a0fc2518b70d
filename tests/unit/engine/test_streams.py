from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO

import pytest

from wharf.engine.streams import Outgoing, on_thread, take_in
from wharf.errors import Unavailable
from wharf.images.bridge import Incoming


async def _chunks() -> AsyncIterator[bytes]:
    yield b"a" * 100_000
    yield b"b"


def test_what_arrives_is_read_on_a_thread() -> None:
    def read(source: Incoming) -> int:
        total = 0
        while data := source.read(4096):
            total += len(data)
        return total

    assert asyncio.run(take_in(_chunks(), read)) == 100_001


def test_what_is_written_comes_out() -> None:
    async def main() -> bytes:
        return b"".join([chunk async for chunk in Outgoing(lambda sink: sink.writelines([b"x" * 1_000_000, b"end"]))])

    assert asyncio.run(main()) == b"x" * 1_000_000 + b"end"


def test_a_failure_of_the_writer_is_the_readers() -> None:
    def fail(sink: BinaryIO) -> None:
        sink.write(b"some")
        raise ValueError("broken")

    async def main() -> None:
        async for _ in Outgoing(fail):
            pass

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(main())


def test_a_reader_that_goes_ends_the_writer() -> None:
    async def main() -> None:
        outgoing = Outgoing(lambda sink: sink.writelines(iter(lambda: b"x" * 65536, b"")))  # without an end
        await anext(outgoing)
        await asyncio.wait_for(outgoing.aclose(), 60)

    asyncio.run(main())


def test_a_request_that_is_cancelled_ends_its_thread() -> None:
    begun = asyncio.Event()

    async def never() -> AsyncIterator[bytes]:
        begun.set()
        await asyncio.Event().wait()
        yield b""

    seen: list[BaseException] = []

    def read(source: Incoming) -> None:
        try:
            source.read(1)
        except Unavailable as error:
            seen.append(error)
            raise

    async def main() -> None:
        task = asyncio.ensure_future(take_in(never(), read))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [str(error) for error in seen] == ["the request was cancelled"]


def test_the_result_of_a_thread_comes_back() -> None:
    assert asyncio.run(on_thread(lambda: 7, "seven")) == 7
