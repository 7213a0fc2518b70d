from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes.buildkit_client import FakeClient
from tests.fakes.links import connected

from wharf.build.session.offers import SessionOffers
from wharf.build.session.sessions import Greeting, Session
from wharf.errors import InvalidArgument
from wharf.rpc.channel import Channel


def _offers(channel: Channel) -> SessionOffers:
    async def session() -> Session:
        return Session(Greeting("s"), channel)

    return SessionOffers(session)


def test_a_secret_is_the_clients_or_absent_or_too_large() -> None:
    async def body() -> list[bytes | None]:
        async with connected(FakeClient(secrets={"tok": b"abc", "big": b"x" * 600_000}).methods()) as channel:
            offers = _offers(channel)
            with pytest.raises(InvalidArgument, match="larger than"):
                await offers.secret("big")
            return [await offers.secret("tok"), await offers.secret("other")]

    assert asyncio.run(body()) == [b"abc", None]


def test_an_agent_is_served_at_a_socket_until_the_end(tmp_path: Path) -> None:
    async def body() -> bytes:
        path = tmp_path / "agent"
        async with connected(FakeClient(agents={"default": b"answer to "}).methods()) as channel:
            offers = _offers(channel)
            assert await offers.agent("other", path) is None
            stack = await offers.agent("default", path)
            assert stack is not None
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"question")
            heard = await reader.readexactly(18)
            await stack.aclose()
            assert await reader.read() == b""
            writer.close()
            with pytest.raises(OSError):  # noqa: PT011  # refused, or gone with the server
                await asyncio.open_unix_connection(path)
            return heard

    assert asyncio.run(body()) == b"answer to question"
