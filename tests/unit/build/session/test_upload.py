from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes.links import connected

from wharf.build.session.sessions import Greeting, Session, methods_of
from wharf.build.session.upload import METHOD, pull
from wharf.errors import NotImplementedHere
from wharf.rpc.call import Call
from wharf.spec.buildkit.upload_pb2 import BytesMessage


def test_what_a_client_lends_is_written_as_it_comes(tmp_path: Path) -> None:
    asked: list[str] = []

    async def lend(call: Call) -> None:
        asked.extend(call.metadata["urlpath"])
        for part in (b"one ", b"two"):
            await call.send(BytesMessage(data=part).SerializeToString())

    async def body() -> None:
        async with connected({METHOD: lend}) as channel:
            session = Session(Greeting("s", methods=methods_of([METHOD])), channel)
            await pull(session, "http://buildkit-session/abc", tmp_path / "got")
            with pytest.raises(NotImplementedHere):
                await pull(Session(Greeting("s"), channel), "http://buildkit-session/abc", tmp_path / "other")

    asyncio.run(body())
    assert ((tmp_path / "got").read_bytes(), asked) == (b"one two", ["/abc"])
