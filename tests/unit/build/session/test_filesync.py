from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes.buildkit_client import FakeClient, stat
from tests.fakes.links import connected

from wharf.build.session.filesync import Wanted, receive
from wharf.errors import InvalidArgument
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.wire_pb2 import Packet


def bring(client: FakeClient, folder: Path, wanted: Wanted | None = None) -> list[int]:
    counts: list[int] = []

    async def body() -> None:
        async with connected(client.methods()) as channel:
            await receive(channel, wanted or Wanted("context"), folder, received=counts.append)

    try:
        asyncio.run(body())
    except* (InvalidArgument, CallFailed) as group:
        raise group.exceptions[0] from None
    return counts


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_comes_whole_and_then_only_what_changed(tmp_path: Path) -> None:
    files = {f"d{n % 7}/f{n}": b"content %d" % n for n in range(600)}
    client = FakeClient({"context": files})

    counts = bring(client, tmp_path / "c")
    assert contents(tmp_path / "c") == files
    assert (len(client.sent), counts == sorted(counts)) == (600, True)
    client.sent.clear()
    files["d3/f3"] = b"other content"
    del files["d1/f1"]
    bring(client, tmp_path / "c")
    assert (contents(tmp_path / "c"), client.sent) == (files, ["d3/f3"])


def test_the_client_is_told_what_of_the_folder_is_wanted(tmp_path: Path) -> None:
    client = FakeClient({"näme": {}})

    bring(client, tmp_path / "c", Wanted("näme", ["*.go"], ["a b", "c"], ["x/y"]))
    (asked,) = client.asked
    assert {name: asked[name] for name in asked if "-" in name or "paths" in name} == {
        "content-type": ["application/grpc"],
        "user-agent": ["wharf"],
        "dir-name": ["n%C3%A4me"],
        "dir-name-encoded": ["1"],
        "include-patterns": ["*.go"],
        "exclude-patterns": ["a b", "c"],
        "followpaths": ["x/y"],
    }


def _stat(path: str, **more: object) -> Packet:
    return Packet(type=Packet.PACKET_STAT, stat=stat(path, b"x", **more))


END = Packet(type=Packet.PACKET_STAT)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([_stat("../../etc/cron.d/x")], "leaves the folder"),
        ([_stat("/etc/passwd")], "leaves the folder"),
        ([_stat("a/b")], "out of order"),
        ([_stat("b"), _stat("a")], "out of order"),
        ([_stat("a"), END, _stat("b")], "after the last one"),
        ([Packet(type=Packet.PACKET_DATA, ID=0, data=b"x")], "nobody asked for"),
        ([_stat("a"), END, Packet(type=Packet.PACKET_DATA, ID=77, data=b"x")], "nobody asked for"),
        ([Packet(type=Packet.PACKET_ERR, data=b"disk on fire")], "the client failed: disk on fire"),
        ([_stat("a"), Packet(type=Packet.PACKET_FIN)], "ended a transfer before it was done"),
        ([_stat("a", mode=1 << 19)], "unknown kind"),
        ([_stat("a", size=-5), _stat("a")], "out of order"),
    ],
)
def test_what_cannot_be_ends_the_transfer_and_leaves_nothing_outside(
    tmp_path: Path, script: list[Packet], said: str
) -> None:
    with pytest.raises(InvalidArgument, match=said):
        bring(FakeClient(script=script), tmp_path / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_client_that_refuses_is_told_of_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match="KeyError"):
        bring(FakeClient(), tmp_path / "c")


def test_a_client_that_stops_in_the_middle_ends_the_transfer(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="before it was done"):
        bring(FakeClient(script=[_stat("a"), END]), tmp_path / "c")
