from __future__ import annotations

import asyncio

import pytest
from tests.fakes.links import connected, links

from wharf.errors import NotFound
from wharf.rpc import status
from wharf.rpc.call import Call
from wharf.rpc.channel import Channel
from wharf.rpc.server import serve
from wharf.rpc.status import CallFailed


async def _missing(call: Call) -> None:
    raise NotFound("nothing of that name")


async def _half(call: Call) -> None:
    await call.send(b"one")
    raise RuntimeError("unforeseen")


async def _drained(call: Call) -> None:
    async for _ in call.messages():
        pass


async def _slow(call: Call) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("method", "metadata", "code", "said"),
    [
        ("/s/Missing", {}, status.NOT_FOUND, "nothing of that name"),
        ("/s/Half", {}, status.INTERNAL, "internal error: RuntimeError: unforeseen"),
        ("/s/Slow", {"grpc-timeout": ["1m"]}, status.DEADLINE_EXCEEDED, "context deadline exceeded"),
        ("/s/Other", {}, status.UNIMPLEMENTED, "unknown method /s/Other"),
    ],
)
def test_how_a_call_ends_is_told(method: str, metadata: dict[str, list[str]], code: int, said: str) -> None:
    async def body() -> tuple[int, str]:
        methods = {"/s/Missing": _missing, "/s/Half": _half, "/s/Slow": _slow}
        async with connected(methods) as channel, channel.open(method, metadata) as call:
            await call.finish()
            with pytest.raises(CallFailed) as caught:
                await _drained(call)
            return caught.value.code, str(caught.value)

    assert asyncio.run(body()) == (code, said)


def test_a_client_that_goes_or_gives_up_ends_what_it_asked_for() -> None:
    async def body() -> list[str]:
        ended: list[str] = []
        begun, over = asyncio.Event(), asyncio.Event()

        async def work(call: Call) -> None:
            begun.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.append("cancelled")
                over.set()
                raise

        near, far = links()
        channel = Channel(near)
        serving = asyncio.ensure_future(serve(far, {"/s/Work": work}))
        running = asyncio.ensure_future(channel.run())
        async with channel.open("/s/Work"):
            await begun.wait()
        await over.wait()
        begun.clear()
        call = channel.open("/s/Work")
        await begun.wait()
        near.close()
        far.close()
        await asyncio.gather(serving, running)
        with pytest.raises(CallFailed):
            await call.receive()
        return ended

    assert asyncio.run(body()) == ["cancelled", "cancelled"]
