from __future__ import annotations

import asyncio

from tests.fakes.links import links

from wharf.engine.buildkit.stdio_link import StdioLink
from wharf.lib.stdcopy import STDERR, STDOUT, frame


def test_output_is_what_comes_and_errors_are_kept() -> None:
    async def body() -> None:
        near, far = links()
        link = StdioLink(near)
        whole = (
            frame(STDERR, b"warning\n")
            + frame(STDOUT, b"one")
            + frame(STDERR, b"last words\n")
            + frame(STDOUT, b"two")
        )
        for piece in (whole[:5], whole[5:30], whole[30:]):
            far.write(piece)
        received = b""
        while len(received) < 6:
            received += await link.receive()
        link.write(b"input")
        await link.drained()

        assert (received, link.last_words) == (b"onetwo", "warning\nlast words")
        assert near.sent == b"input"
        assert not link.at_end
        far.write(b"")
        assert await link.receive() == b""
        assert link.at_end

    asyncio.run(body())


def test_of_endless_errors_the_end_is_kept() -> None:
    async def body() -> None:
        near, far = links()
        far.write(frame(STDERR, b"x" * 10000 + b"end") + frame(STDOUT, b"-"))
        link = StdioLink(near)
        await link.receive()

        assert len(link.last_words) == 4096
        assert link.last_words.endswith("end")

    asyncio.run(body())
