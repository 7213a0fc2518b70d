from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.fakes.links import connected

from wharf.build.session.filesync import Wanted, receive
from wharf.cli.build.serving import Lent, methods
from wharf.rpc.channel import Channel
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.secrets_pb2 import GetSecretRequest, GetSecretResponse
from wharf.spec.buildkit.ssh_pb2 import BytesMessage
from wharf.spec.buildkit.wire_pb2 import Packet

_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"


def _asked(lent: Lent, ask: Callable[[Channel], Awaitable[object]]) -> object:
    """Serve what is lent to the engine's own side of a session."""

    async def talk() -> object:
        async with connected(methods(lent)) as channel:
            return await ask(channel)

    return asyncio.run(talk())


def test_a_folder_is_brought_over_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "here/sub").mkdir(parents=True)
    (tmp_path / "here/sub/f").write_bytes(bytes(700_000))
    (tmp_path / "here/skip").write_text("x")
    wanted = Wanted("context", exclude=["skip"])

    async def ask(channel: Channel) -> None:
        await receive(channel, wanted, tmp_path / "there", received=lambda _: None)

    _asked(Lent({"context": str(tmp_path / "here")}), ask)
    assert (tmp_path / "there/sub/f").read_bytes() == bytes(700_000)
    assert not (tmp_path / "there/skip").exists()


def test_names_need_not_be_utf_8_and_files_may_have_several(tmp_path: Path) -> None:
    here, there = os.fsencode(tmp_path / "here"), os.fsencode(tmp_path / "there")
    for name in (b"d\xe9/x\xff/f\xfe", "😀/é".encode(), b"z/caf\xe9"):
        os.makedirs(os.path.dirname(here + b"/" + name), exist_ok=True)
        (tmp_path / "here" / os.fsdecode(name)).write_bytes(name)
    os.symlink(b"d\xe9/x\xff", here + b"/l\xe9")
    os.link(here + b"/z/caf\xe9", here + b"/a\xff")
    os.link(here + b"/z/caf\xe9", here + b"/zz")

    async def ask(channel: Channel) -> None:
        for follow in (None, [os.fsdecode(b"z/caf\xe9")]):
            wanted = Wanted("context", follow=follow)
            await receive(channel, wanted, tmp_path / f"there{'' if follow is None else 2}", received=lambda _: None)

    _asked(Lent({"context": str(tmp_path / "here")}), ask)
    tell = [sorted((path[len(top) :], names, files) for path, names, files in os.walk(top)) for top in (here, there)]
    assert tell[0] == tell[1]
    assert os.readlink(there + b"/l\xe9") == b"d\xe9/x\xff"
    assert {os.stat(there + name).st_ino for name in (b"/a\xff", b"/zz")} == {os.stat(there + b"/z/caf\xe9").st_ino}
    assert (tmp_path / "there/z" / os.fsdecode(b"caf\xe9")).read_bytes() == b"z/caf\xe9"
    assert [os.fsencode(one) for one in (tmp_path / "there2").rglob("*")] == [there + b"2/z", there + b"2/z/caf\xe9"]


def test_each_of_many_files_is_told_of_and_sent(tmp_path: Path) -> None:
    names = [f"{number:04}" for number in range(1100)]
    (tmp_path / "here").mkdir()
    for name in names:
        (tmp_path / "here" / name).write_text(name)

    async def ask(channel: Channel) -> None:
        await receive(channel, Wanted("context"), tmp_path / "there", received=lambda _: None)

    _asked(Lent({"context": str(tmp_path / "here")}), ask)
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == names
    assert all((tmp_path / "there" / name).read_text() == name for name in names)


def test_of_a_folder_that_is_there_only_what_changed_is_sent(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    for name in "abc":
        (tmp_path / "here" / name).write_bytes(bytes(100_000))
    counts: list[int] = []

    async def ask(channel: Channel) -> None:
        for _ in range(2):
            counts.append(0)
            await receive(channel, Wanted("context"), tmp_path / "there", received=counts.append)
            (tmp_path / "here/b").write_text("changed")

    _asked(Lent({"context": str(tmp_path / "here")}), ask)
    first, second = max(counts[: counts.index(0, 1)]), counts[-1]
    assert first > 300_000
    assert 0 < second < 1000
    assert (tmp_path / "there/b").read_text() == "changed"


def test_a_file_that_cannot_be_read_ends_the_transfer(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/gone").write_text("x")

    async def ask(channel: Channel) -> None:
        async with channel.open("/moby.filesync.v1.FileSync/DiffCopy", {"dir-name": ["context"]}) as call:
            assert Packet.FromString(await call.receive() or b"").stat.path == b"gone"
            assert not Packet.FromString(await call.receive() or b"").HasField("stat")
            (tmp_path / "here/gone").unlink()
            await call.send(Packet(type=Packet.PACKET_REQ, ID=0).SerializeToString())
            with pytest.raises(CallFailed, match=r"open .*/gone: no such file or directory"):
                await call.receive()

    _asked(Lent({"context": str(tmp_path / "here")}), ask)


def test_only_folders_that_are_lent_are_read(tmp_path: Path) -> None:
    async def ask(channel: Channel) -> None:
        with pytest.raises(CallFailed, match="no access allowed to dir 'other'"):
            await receive(channel, Wanted("other"), tmp_path / "there", received=lambda _: None)

    _asked(Lent({"context": str(tmp_path)}), ask)


def test_secrets_are_lent_by_name() -> None:
    lent = Lent({}, secrets={"token": lambda: b"abc"})

    async def ask(channel: Channel) -> bytes:
        with pytest.raises(CallFailed, match="secret none: not found"):
            await channel.unary(_SECRET, GetSecretRequest(ID="none"), GetSecretResponse)
        return (await channel.unary(_SECRET, GetSecretRequest(ID="token"), GetSecretResponse)).data

    assert _asked(lent, ask) == b"abc"


def test_a_secret_that_is_too_large_is_not_lent() -> None:
    async def ask(channel: Channel) -> None:
        with pytest.raises(CallFailed, match="invalid secret size"):
            await channel.unary(_SECRET, GetSecretRequest(ID="big"), GetSecretResponse)

    _asked(Lent({}, secrets={"big": lambda: bytes(600_000)}), ask)


def test_what_is_not_lent_is_not_served() -> None:
    assert set(methods(Lent({}))) == {"/moby.filesync.v1.FileSync/DiffCopy", "/moby.filesync.v1.Auth/Credentials"}
    assert "/moby.filesync.v1.FileSend/DiffCopy" in methods(Lent({}, results={0: io.BytesIO()}))


def test_a_step_talks_to_an_agent(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"heard " + await reader.read(100))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def talk() -> bytes:
        path = str(tmp_path / "agent")
        async with (
            await asyncio.start_unix_server(echo, path),
            connected(methods(Lent({}, agents={"default": path}))) as channel,
            channel.open("/moby.sshforward.v1.SSH/ForwardAgent", {"buildkit.ssh.id": ["default"]}) as call,
        ):
            await call.send(BytesMessage(data=b"hello").SerializeToString())
            return BytesMessage.FromString(await call.receive() or b"").data

    assert asyncio.run(talk()) == b"heard hello"
