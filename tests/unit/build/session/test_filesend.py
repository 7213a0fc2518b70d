from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.links import connected

from wharf.build.session.entries import entry_of
from wharf.build.session.filesend import METHOD, Root, send_file, send_tree
from wharf.build.session.sessions import Greeting, Session, methods_of
from wharf.build.session.tree import Tree
from wharf.errors import NotImplementedHere
from wharf.rpc.call import Call
from wharf.rpc.channel import Channel
from wharf.rpc.methods import decoded
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.filesync_pb2 import BytesMessage
from wharf.spec.buildkit.wire_pb2 import Packet


def _session(channel: Channel) -> Session:
    return Session(Greeting("s", methods=methods_of([METHOD])), channel)


async def _chunks() -> AsyncIterator[bytes]:
    yield b"x" * 700_000
    yield b"end"


def test_bytes_go_to_the_exporter_of_that_number() -> None:
    got: list[bytes] = []
    numbers: list[str] = []

    async def take(call: Call) -> None:
        numbers.extend(call.metadata["buildkit-attachable-exporter-id"])
        got.extend([decoded(BytesMessage, message).data async for message in call.messages()])

    async def body() -> int:
        async with connected({METHOD: take}) as channel:
            return await send_file(_session(channel), 3, _chunks())

    assert asyncio.run(body()) == 700_003
    assert (b"".join(got), numbers, max(map(len, got))) == (b"x" * 700_000 + b"end", ["3"], 256 * 1024)


def test_a_client_that_does_not_take_them_is_told_of() -> None:
    async def refuse(call: Call) -> None:
        raise CallFailed(6, "target already exists")

    async def body() -> None:
        async with connected({METHOD: refuse}) as channel:
            with pytest.raises(CallFailed, match="target already exists"):
                await send_file(_session(channel), 0, _chunks())
            with pytest.raises(NotImplementedHere, match="not supported by the client"):
                await send_file(Session(Greeting("s"), channel), 0, _chunks())

    asyncio.run(body())


async def _receive(call: Call, into: Path) -> None:
    """Take a tree as fsutil's receiver does."""
    tree, number, asked = Tree(into), 0, 0
    listed = False
    try:
        while not (listed and not asked):
            packet = decoded(Packet, await call.receive() or b"")
            if packet.type == Packet.PACKET_DATA:
                tree.write(packet.ID, packet.data)
                asked -= not packet.data
            elif not packet.HasField("stat"):
                listed = True
            else:
                entry = entry_of(packet.stat)
                if tree.put(entry):
                    tree.begin(number, entry)
                    asked += 1
                    await call.send(Packet(type=Packet.PACKET_REQ, ID=number).SerializeToString())
                number += 1
        tree.finish()
    finally:
        tree.close()
    await call.send(Packet(type=Packet.PACKET_FIN).SerializeToString())
    assert decoded(Packet, await call.receive() or b"").type == Packet.PACKET_FIN


def test_a_tree_arrives_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "from"
    (source / "d/e").mkdir(parents=True)
    (source / "d/f").write_bytes(b"y" * 600_000)
    (source / "d/f").chmod(0o750)
    os.link(source / "d/f", source / "same")
    (source / "empty").touch()
    (source / "l").symlink_to("d/f")

    async def take(call: Call) -> None:
        await _receive(call, tmp_path / "to")

    async def body() -> None:
        fd = os.open(source, os.O_RDONLY)
        try:
            async with connected({METHOD: take}) as channel:
                await send_tree(_session(channel), 0, [Root(fd)])
        finally:
            os.close(fd)

    asyncio.run(body())
    to = tmp_path / "to"
    assert sorted(str(path.relative_to(to)) for path in to.rglob("*")) == ["d", "d/e", "d/f", "empty", "l", "same"]
    assert ((to / "d/f").read_bytes(), (to / "d/f").stat().st_mode & 0o777) == (b"y" * 600_000, 0o750)
    assert ((to / "same").stat().st_ino == (to / "d/f").stat().st_ino, os.readlink(to / "l")) == (True, "d/f")


def test_several_trees_are_one_in_the_order_of_their_names(tmp_path: Path) -> None:
    for path in ("a/d/1", "a/d-", "b/d/2", "b/d.x/3", "b/z"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    told: list[list[str]] = []

    async def take(call: Call) -> None:
        told.append(call.metadata["buildkit-exporter-multi-platform"])
        await _receive(call, tmp_path / "to")

    async def body() -> None:
        roots = [os.open(tmp_path / name, os.O_RDONLY) for name in ("a", "b")]
        try:
            async with connected({METHOD: take}) as channel:
                await send_tree(_session(channel), 0, [Root(fd) for fd in roots])
        finally:
            for fd in roots:
                os.close(fd)

    asyncio.run(body())
    to = tmp_path / "to"
    found = {str(path.relative_to(to)): path.read_text() for path in to.rglob("*") if path.is_file()}
    assert found == {"d/1": "a/d/1", "d-": "a/d-", "d/2": "b/d/2", "d.x/3": "b/d.x/3", "z": "b/z"}
    assert told == [["1"]]


def test_nothing_is_a_tree_too(tmp_path: Path) -> None:
    async def take(call: Call) -> None:
        await _receive(call, tmp_path / "to")

    async def body() -> None:
        async with connected({METHOD: take}) as channel:
            await send_tree(_session(channel), 0, [Root(None)])

    asyncio.run(body())
    assert os.listdir(tmp_path / "to") == []
