from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes.links import connected

from wharf.cli.build.contents import Contents
from wharf.lib.digest import digest_of
from wharf.rpc.channel import Channel
from wharf.rpc.methods import decoded
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import content_pb2 as pb

SERVICE = "/containerd.services.content.v1.Content/"
STORE = {"buildkit-attachable-store-id": ["local:c"]}


async def _write(channel: Channel, *requests: pb.WriteContentRequest) -> int:
    """Ask for these; return how far the blob came."""
    async with channel.open(f"{SERVICE}Write", STORE) as call:
        at = 0
        for request in requests:
            await call.send(request.SerializeToString())
            at = decoded(pb.WriteContentResponse, await call.receive() or b"").offset
        await call.finish()
        await call.receive()
    return at


def test_a_blob_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    wanted = digest_of(b"abc")

    async def body() -> None:
        async with connected(Contents({"local:c": str(tmp_path)}).methods()) as channel:
            half = pb.WriteContentRequest(action=pb.WRITE, data=b"ab")
            assert await _write(channel, half) == 2
            assert list((tmp_path / "blobs/sha256").iterdir()) == []
            rest = pb.WriteContentRequest(action=pb.COMMIT, data=b"c", offset=2, total=3, expected=wanted)
            assert await _write(channel, half, rest) == 3
            read = pb.ReadContentRequest(digest=wanted, offset=1, size=1)
            answer = await channel.unary(f"{SERVICE}Read", read, pb.ReadContentResponse, STORE)
            assert (answer.offset, answer.data) == (1, b"b")

    asyncio.run(body())
    assert [path.name for path in (tmp_path / "blobs/sha256").iterdir()] == [wanted.removeprefix("sha256:")]


def test_what_a_kill_left_goes_with_the_next_blob(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs/sha256"
    blobs.mkdir(parents=True)
    (blobs / ".part-0123456789abcdef").write_bytes(b"half")

    async def body() -> None:
        async with connected(Contents({"local:c": str(tmp_path)}).methods()) as channel:
            await _write(channel, pb.WriteContentRequest(action=pb.COMMIT, data=b"abc"))

    asyncio.run(body())
    assert [path.name for path in blobs.iterdir()] == [digest_of(b"abc").removeprefix("sha256:")]


def test_nothing_but_blobs_of_these_folders_is_reached(tmp_path: Path) -> None:
    async def body() -> None:
        async with connected(Contents({"local:c": str(tmp_path)}).methods()) as channel:
            for digest in ("../../etc/passwd", "sha256:../x", "sha512:" + "0" * 128):
                with pytest.raises(CallFailed, match="invalid digest"):
                    await channel.unary(f"{SERVICE}Info", pb.InfoRequest(digest=digest), pb.InfoResponse, STORE)
            for wrong in (
                pb.WriteContentRequest(action=pb.COMMIT, data=b"x", expected=digest_of(b"y")),
                pb.WriteContentRequest(action=pb.COMMIT, data=b"x", total=2),
                pb.WriteContentRequest(action=pb.WRITE, data=b"x", offset=7),
            ):
                with pytest.raises(CallFailed, match=r"unexpected content|a write at 7"):
                    await _write(channel, wrong)

    asyncio.run(body())
    assert list((tmp_path / "blobs/sha256").iterdir()) == []
