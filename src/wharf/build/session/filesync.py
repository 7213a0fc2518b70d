"""A folder of a client, brought over its session: only what is not here already (BuildKit, session/filesync; fsutil).

::

    client                       we
      STAT …, one an entry ────▶   compare with what we have
      STAT without an entry ───▶
      ◀──────────────────── REQ number, for each file that is missing or changed
      DATA number, … ──────────▶   an empty one ends a file
      ◀──────────────────── FIN
      FIN ─────────────────────▶
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus

from wharf.build.operations.selection import Digests
from wharf.build.session.entries import Entry, entry_of
from wharf.build.session.tree import Tree
from wharf.errors import InvalidArgument
from wharf.rpc.call import ClientCall
from wharf.rpc.channel import Channel
from wharf.rpc.methods import decoded
from wharf.spec.buildkit.wire_pb2 import Packet

METHOD: Final = "/moby.filesync.v1.FileSync/DiffCopy"
_MOST_ASKED: Final = 256  # files asked for and not here yet: each is an open file
_BATCH_BYTES: Final = 1 << 20

Received = Callable[[int], None]
"""Takes how many bytes came so far."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A folder of a client, and what of it."""

    name: str
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    follow: Sequence[str] | None = None  # only these paths, links followed; None: all

    def metadata(self) -> dict[str, list[str]]:
        """Return how a client is told (BuildKit, session/filesync)."""
        wanted = {
            "dir-name": [self.name],
            "include-patterns": list(self.include),
            "exclude-patterns": list(self.exclude),
            "followpaths": list(self.follow or ()),
        }
        told: dict[str, list[str]] = {}
        for key, values in wanted.items():
            if all(value.isascii() for value in values):
                told[key] = values
            else:
                told[key] = [quote_plus(value, errors="surrogateescape") for value in values]
                told[f"{key}-encoded"] = ["1"]
        return {key: values for key, values in told.items() if values}


async def receive(
    channel: Channel, wanted: Wanted, folder: Path, *, digests: Digests | None = None, received: Received
) -> None:
    """Make ``folder`` as the client's is; what is there already is taken for an earlier state of it.

    Raises:
        InvalidArgument: the client sends what cannot be.
        CallFailed: it refuses, or fails.
        Unavailable: the disk is full.
    """
    async with channel.open(METHOD, wanted.metadata()) as call:
        transfer = _Transfer(await asyncio.to_thread(Tree, folder, digests))
        try:
            await _run(call, transfer, received)
        finally:
            await asyncio.to_thread(transfer.tree.close)
        await call.finish()


async def _run(call: ClientCall, transfer: _Transfer, received: Received) -> None:
    count = 0
    while not transfer.finished:
        batch = await _batch(call)
        if not batch:
            raise InvalidArgument("the client ended a transfer before it was done")
        count += sum(map(len, batch))
        received(count)
        numbers = await asyncio.to_thread(transfer.take, batch)
        await call.send_all(Packet(type=Packet.PACKET_REQ, ID=number).SerializeToString() for number in numbers)
    await asyncio.to_thread(transfer.tree.finish)
    await call.send(Packet(type=Packet.PACKET_FIN).SerializeToString())
    while (message := await call.receive()) is not None:
        if decoded(Packet, message).type == Packet.PACKET_FIN:
            return


async def _batch(call: ClientCall) -> list[bytes | memoryview]:
    """Return the messages that are here, at least one; none when no more come."""
    first = await call.receive()
    if first is None:
        return []
    batch: list[bytes | memoryview] = [first]
    size = len(first)
    while size < _BATCH_BYTES:
        more = call.ready(_BATCH_BYTES)
        if not more:
            await asyncio.sleep(0)  # a look at the socket costs less than a thread's turn
            more = call.ready(_BATCH_BYTES)
        if not more:
            break
        batch += more
        size += sum(map(len, more))
    return batch


@dataclass(slots=True)
class _Transfer:
    """Where a transfer stands; used by one thread at a time."""

    tree: Tree
    count: int = 0  # entries so far: fsutil numbers files by their place
    listed: bool = False
    wanted: deque[tuple[int, Entry]] = field(default_factory=deque)
    asked: int = 0

    @property
    def finished(self) -> bool:
        """Whether everything is here."""
        return self.listed and not self.wanted and not self.asked

    def take(self, batch: Sequence[bytes | memoryview]) -> list[int]:
        """Take packets; return the numbers of files to ask for now.

        Raises:
            InvalidArgument: a packet that cannot be.
        """
        for message in batch:
            packet = decoded(Packet, message)
            match packet.type:
                case Packet.PACKET_STAT:
                    self._take_stat(packet)
                case Packet.PACKET_DATA:
                    self.tree.write(packet.ID, packet.data)
                    self.asked -= not packet.data
                case Packet.PACKET_ERR:
                    raise InvalidArgument(f"the client failed: {packet.data.decode('utf-8', 'replace')}")
                case Packet.PACKET_FIN:
                    raise InvalidArgument("the client ended a transfer before it was done")
        return self._ask()

    def _take_stat(self, packet: Packet) -> None:
        if self.listed:
            raise InvalidArgument("a file was announced after the last one")
        if not packet.HasField("stat"):
            self.listed = True
            return
        entry = entry_of(packet.stat)
        if self.tree.put(entry):
            self.wanted.append((self.count, entry))
        self.count += 1

    def _ask(self) -> list[int]:
        numbers = []
        while self.wanted and self.asked < _MOST_ASKED:
            number, entry = self.wanted.popleft()
            self.tree.begin(number, entry)
            self.asked += 1
            numbers.append(number)
        return numbers
