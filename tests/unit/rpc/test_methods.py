from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from google.protobuf.message import Message
from tests.fakes.links import connected

from wharf.errors import InvalidArgument
from wharf.rpc.call import Call
from wharf.rpc.methods import decoded, streaming, unary
from wharf.spec.buildkit.control_pb2 import StatusRequest
from wharf.spec.buildkit.secrets_pb2 import GetSecretRequest, GetSecretResponse


async def _secret(request: GetSecretRequest, call: Call) -> Message:
    return GetSecretResponse(data=request.ID.encode() * 2)


async def _many(request: StatusRequest, call: Call) -> AsyncIterator[Message]:
    for number in range(3):
        yield StatusRequest(Ref=f"{request.Ref}{number}")


def test_one_message_is_answered_with_one() -> None:
    async def body() -> bytes:
        async with connected({"/s/One": unary(GetSecretRequest, _secret)}) as channel:
            return (await channel.unary("/s/One", GetSecretRequest(ID="ab"), GetSecretResponse)).data

    assert asyncio.run(body()) == b"abab"


def test_one_message_is_answered_with_many() -> None:
    async def body() -> list[str]:
        async with (
            connected({"/s/Many": streaming(StatusRequest, _many)}) as channel,
            channel.open("/s/Many") as call,
        ):
            await call.send(StatusRequest(Ref="r").SerializeToString())
            await call.finish()
            return [decoded(StatusRequest, message).Ref async for message in call.messages()]

    assert asyncio.run(body()) == ["r0", "r1", "r2"]


def test_a_malformed_message_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgument, match="a malformed StatusRequest"):
        decoded(StatusRequest, b"\xff\xff")
