from __future__ import annotations

import asyncio

import pytest
from tests.fakes.links import connected

from wharf.rpc import status
from wharf.rpc.call import MAX_MESSAGE_BYTES, Call
from wharf.rpc.status import CallFailed


async def _echo(call: Call) -> None:
    async for message in call.messages():
        await call.send(message)


def test_messages_go_both_ways_while_the_call_lasts() -> None:
    async def body() -> list[bytes | None]:
        async with connected({"/s/Echo": _echo}) as channel, channel.open("/s/Echo") as call:
            got: list[bytes | None] = []
            for message in (b"", b"one", b"x" * 5_000_000):
                await call.send(message)
                got.append(await call.receive())
            await call.finish()
            return [*got, await call.receive()]

    assert asyncio.run(body()) == [b"", b"one", b"x" * 5_000_000, None]


def test_messages_that_are_here_can_be_had_at_once() -> None:
    async def body() -> list[list[bytes]]:
        async with connected({"/s/Echo": _echo}) as channel, channel.open("/s/Echo") as call:
            before = call.ready(100)
            for message in (b"one", b"two", b"", b"three"):
                await call.send(message)
            await call.receive()
            for _ in range(50):
                await asyncio.sleep(0)
            some = call.ready(5 + 3 + 5 + 5 + 3)  # the last one not as a whole
            return [before, some, call.ready(100), call.ready(100)]

    assert asyncio.run(body()) == [[], [b"two", b""], [b"three"], []]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\0" + (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big"), status.RESOURCE_EXHAUSTED),
        (b"\1\0\0\0\1x", status.UNIMPLEMENTED),
        (b"\0\0\0\0\5ab", status.INTERNAL),
        (b"\0\0", status.INTERNAL),
    ],
)
def test_a_message_that_cannot_be_ends_the_call(raw: bytes, code: int) -> None:
    async def body() -> int:
        async with connected({"/s/Echo": _echo}) as channel, channel.open("/s/Echo") as call:
            await call.stream.send(raw, end=True)
            with pytest.raises(CallFailed) as caught:
                await call.receive()
            return caught.value.code

    assert asyncio.run(body()) == code


def test_metadata_comes_with_the_call_a_name_more_than_once() -> None:
    async def tell(call: Call) -> None:
        await call.send(",".join(call.metadata["paths"]).encode())

    async def body() -> bytes | None:
        async with connected({"/s/Tell": tell}) as channel, channel.open("/s/Tell", {"paths": ["a", "b c"]}) as call:
            return await call.receive()

    assert asyncio.run(body()) == b"a,b c"
