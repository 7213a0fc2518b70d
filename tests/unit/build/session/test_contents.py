from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes.client_store import FakeStore
from tests.fakes.links import connected

from wharf.build.session.contents import ClientStore
from wharf.build.session.sessions import Greeting, Session, methods_of
from wharf.errors import DataLoss, InvalidArgument, NotImplementedHere
from wharf.lib.digest import digest_of
from wharf.rpc.channel import Channel
from wharf.rpc.status import CallFailed
from wharf.spec.oci_image import Descriptor


def _store(channel: Channel, fake: FakeStore, name: str = "local:c", digest: str = "") -> ClientStore:
    async def session() -> Session:
        return Session(Greeting("s", methods=methods_of(fake.methods())), channel)

    return ClientStore(session, name, digest)


def _descriptor(data: bytes) -> Descriptor:
    return {"digest": digest_of(data), "size": len(data)}


def test_blobs_are_written_and_read_again(tmp_path: Path) -> None:
    fake, data = FakeStore(tmp_path, "c"), b"some bytes" * 60_000
    (tmp_path / "blob").write_bytes(data)

    async def body() -> None:
        async with connected(fake.methods()) as channel:
            store = _store(channel, fake)
            for _ in range(2):  # what is there already is well
                await store.write(_descriptor(data), tmp_path / "blob")
            await store.write_manifest(b"{}", "m")
            assert b"".join([piece async for piece in store.read(_descriptor(data))]) == data
            assert await _store(channel, fake, digest=digest_of(b"{}")).manifest() == b"{}"

    asyncio.run(body())
    assert sorted(path.name for path in (tmp_path / "c/blobs/sha256").iterdir()) == sorted(
        digest_of(one).removeprefix("sha256:") for one in (data, b"{}")
    )


def test_what_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    fake = FakeStore(tmp_path, "c")
    fake.add("c", b"others, and more of them", digest=digest_of(b"bytes"))

    async def body() -> None:
        async with connected(fake.methods()) as channel:
            store = _store(channel, fake)
            with pytest.raises(DataLoss, match="other bytes"):
                await store.document(_descriptor(b"bytes"))
            with pytest.raises(InvalidArgument, match="too many for a document"):
                await store.document({"digest": digest_of(b"bytes"), "size": 1 << 40})
            with pytest.raises(CallFailed, match="not found"):
                await _store(channel, fake, digest=digest_of(b"none")).manifest()
            with pytest.raises(CallFailed, match="unknown store local:d"):
                await _store(channel, fake, "local:d").write_manifest(b"", "m")

    asyncio.run(body())


def test_a_client_without_stores_is_told_of() -> None:
    async def body() -> None:
        async with connected({}) as channel:

            async def session() -> Session:
                return Session(Greeting("s"), channel)

            with pytest.raises(NotImplementedHere, match=r"content\.v1\.Content/Write not supported by the client"):
                await ClientStore(session, "local:c").write_manifest(b"", "m")

    asyncio.run(body())
