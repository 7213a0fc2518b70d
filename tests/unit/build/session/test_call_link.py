from __future__ import annotations

import asyncio

from tests.fakes.links import connected

from wharf.build.session.call_link import CallLink
from wharf.rpc.call import Call
from wharf.rpc.methods import decoded
from wharf.spec.buildkit.control_pb2 import BytesMessage


def test_a_call_carries_bytes_both_ways_until_an_end() -> None:
    async def echo(call: Call) -> None:
        link = CallLink(call)
        sending = asyncio.create_task(link.send())
        while data := await link.receive():
            link.write(data.upper())
            await link.drained()
        link.close()
        link.write(b"after the end")
        await sending

    async def body() -> list[bytes | None]:
        async with connected({"/s/Echo": echo}) as channel, channel.open("/s/Echo") as call:
            await call.send(BytesMessage(data=b"over").SerializeToString())
            first = decoded(BytesMessage, await call.receive() or b"").data
            await call.finish()
            return [first, await call.receive()]

    assert asyncio.run(body()) == [b"OVER", None]


def test_nobody_waits_for_a_side_that_is_gone() -> None:
    async def body() -> None:
        async def work(call: Call) -> None:
            link = CallLink(call)
            call.stream.reset()
            link.write(b"one")
            link.write(b"two")
            sending = asyncio.create_task(link.send())
            await asyncio.wait_for(link.drained(), 60)
            await sending

        async with connected({"/s/Work": work}) as channel, channel.open("/s/Work") as call:
            await call.finish()

    asyncio.run(body())
