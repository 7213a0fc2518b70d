from __future__ import annotations

import asyncio

import pytest
from tests.fakes.links import links

from wharf.rpc.channel import Channel
from wharf.rpc.status import UNAVAILABLE, CallFailed
from wharf.spec.buildkit.control_pb2 import InfoRequest, InfoResponse


def test_a_channel_whose_other_side_has_gone_fails_its_calls() -> None:
    async def body() -> list[int]:
        near, far = links()
        channel = Channel(near)
        running = asyncio.ensure_future(channel.run())
        asking = asyncio.ensure_future(channel.unary("/s/Info", InfoRequest(), InfoResponse))
        await asyncio.sleep(0)
        assert channel.is_open
        far.close()
        await running
        await channel.closed()
        codes = []
        for failing in (asking, channel.unary("/s/Info", InfoRequest(), InfoResponse)):
            with pytest.raises(CallFailed) as caught:
                await failing
            codes.append(caught.value.code)
        return codes

    assert asyncio.run(body()) == [UNAVAILABLE, UNAVAILABLE]
