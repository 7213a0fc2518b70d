from __future__ import annotations

import asyncio
import socket

import pytest
from tests.fakes.links import links

from wharf.build.session.sessions import Greeting, Session, Sessions, methods_of
from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere
from wharf.rpc.channel import Channel


def test_a_build_waits_for_its_session_and_finds_it_until_the_client_goes() -> None:
    async def body() -> str:
        sessions = Sessions()
        waiting = asyncio.ensure_future(sessions.get("s1"))
        await asyncio.sleep(0)
        near, far = links()
        holding = asyncio.ensure_future(sessions.hold(near, Greeting("s1", "key")))
        session = await waiting
        far.close()
        await holding
        assert not session.channel.is_open
        with pytest.raises(NotFound):
            await asyncio.wait_for(sessions.get("s1", patience_s=0), 60)
        return session.greeting.shared_key

    assert asyncio.run(body()) == "key"


def test_an_id_is_one_sessions_and_must_be_there() -> None:
    async def body() -> None:
        sessions = Sessions()
        near, far = links()
        holding = asyncio.ensure_future(sessions.hold(near, Greeting("s1")))
        await sessions.get("s1")
        with pytest.raises(Conflict):
            await sessions.hold(links()[0], Greeting("s1"))
        with pytest.raises(InvalidArgument):
            await sessions.hold(links()[0], Greeting(""))
        sessions.close()
        await asyncio.wait_for(_ended(holding, far), 60)

    async def _ended(holding: asyncio.Future[None], far: object) -> None:
        far.close()  # type: ignore[attr-defined]
        await holding

    asyncio.run(body())


def test_what_a_client_does_not_serve_is_refused_by_name() -> None:
    async def body() -> None:
        session = Session(Greeting("s", methods=methods_of(["/a.B/C"])), Channel(links()[0]))
        session.require("/a.B/c")
        with pytest.raises(NotImplementedHere, match=r"method /a\.B/D not supported by the client"):
            session.require("/a.B/D")

    asyncio.run(body())


def test_a_client_lends_once_and_for_as_long_as_its_session() -> None:
    async def body() -> tuple[bytes, bytes]:
        sessions = Sessions()
        near, far = links()
        holding = asyncio.ensure_future(sessions.hold(near, Greeting("s1")))
        ours, theirs = socket.socketpair()
        late, client = socket.socketpair()

        async def connect() -> socket.socket:
            return ours

        async def slowly() -> socket.socket:
            far.close()
            await holding
            return late

        await sessions.lend("s1", connect)
        with pytest.raises(Conflict):
            await sessions.lend("s1", connect)
        (await sessions.get("s1")).lender = None
        await sessions.lend("s1", slowly)
        ours.close()
        with theirs, client:
            return theirs.recv(1), client.recv(1)

    assert asyncio.run(body()) == (b"", b"")


def test_a_session_that_ends_hangs_up_on_what_it_is_lent() -> None:
    async def body() -> bytes:
        sessions = Sessions()
        near, far = links()
        holding = asyncio.ensure_future(sessions.hold(near, Greeting("s1")))
        ours, theirs = socket.socketpair()

        async def connect() -> socket.socket:
            return ours

        await sessions.lend("s1", connect)
        far.close()
        await holding
        with theirs:
            return theirs.recv(1)

    assert asyncio.run(body()) == b""
