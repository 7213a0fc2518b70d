"""Results given to a client: bytes into its file, or a tree into its folder (BuildKit, session/filesync)."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import count, groupby, repeat
from typing import Final

from wharf.build.session.entries import go_mode_of
from wharf.build.session.sessions import Session
from wharf.errors import InvalidArgument
from wharf.kernel.openat2 import open_in_root
from wharf.rpc.call import ClientCall, Metadata
from wharf.rpc.methods import decoded
from wharf.spec.buildkit.filesync_pb2 import BytesMessage
from wharf.spec.buildkit.stat_pb2 import Stat
from wharf.spec.buildkit.wire_pb2 import Packet
from wharf.storage.trees import Node, walk

METHOD: Final = "/moby.filesync.v1.FileSend/DiffCopy"
_CHUNK: Final = 256 * 1024
_BATCH: Final = 512
_WHOLE: Final = {"buildkit-exporter-multi-platform": ["1"]}
"""Tells a client that it has all platforms' files in one call: it may remove what is not among them."""


async def send_file(session: Session, number: int, chunks: AsyncIterator[bytes]) -> int:
    """Send bytes to the exporter of that number; return how many there were.

    Raises:
        CallFailed: the client does not take them.
        NotImplementedHere: it has no such exporter.
    """
    session.require(METHOD)
    sent = 0
    async with session.channel.open(METHOD, _metadata(number)) as call:
        async for chunk in chunks:
            for at in range(0, len(chunk), _CHUNK):
                await call.send(BytesMessage(data=chunk[at : at + _CHUNK]).SerializeToString())
            sent += len(chunk)
        await call.finish()
        while await call.receive() is not None:
            pass  # the client's file is closed when the call ends
    return sent


@dataclass(frozen=True, slots=True)
class Root:
    """A folder to be sent, or nothing; below ``prefix`` when several are sent at once."""

    fd: int | None
    prefix: str = ""


async def send_tree(session: Session, number: int, roots: Sequence[Root], mtime_ns: int | None = None) -> None:
    """Send what is below folders to the exporter of that number, as one tree.

    Args:
        session: the client's.
        number: the exporter's.
        roots: in the order of their prefixes; those of one have no file in common.
        mtime_ns: the time of all files; None for their own.

    Raises:
        CallFailed: the client does not take it.
        NotImplementedHere: it has no such exporter.
        InvalidArgument: it asks for what it was not told of.
    """
    session.require(METHOD)
    async with session.channel.open(METHOD, {**_metadata(number), **_WHOLE}) as call:
        files: dict[int, tuple[int, bytes]] = {}
        await _send_stats(call, _all_stats(roots, files, mtime_ns))
        await call.send(Packet(type=Packet.PACKET_STAT).SerializeToString())
        async for message in call.messages():
            packet = decoded(Packet, message)
            match packet.type:
                case Packet.PACKET_REQ if packet.ID in files:
                    await _send_content(call, packet.ID, *files.pop(packet.ID))
                case Packet.PACKET_FIN:
                    await call.send(packet.SerializeToString())
                    await call.finish()
                case Packet.PACKET_ERR:
                    raise InvalidArgument(f"the client failed: {packet.data.decode('utf-8', 'replace')}")
                case _:
                    raise InvalidArgument(f"the client asked for what it was not told of: {packet.ID}")


def _metadata(number: int) -> Metadata:
    return {"buildkit-attachable-exporter-id": [str(number)]}


async def _send_stats(call: ClientCall, stats: Iterator[bytes]) -> None:
    while batch := await asyncio.to_thread(_some, stats):
        for message in batch:
            await call.send(message)


def _some(stats: Iterator[bytes]) -> list[bytes]:
    return [message for _, message in zip(range(_BATCH), stats, strict=False)]


def _all_stats(roots: Sequence[Root], files: dict[int, tuple[int, bytes]], mtime_ns: int | None) -> Iterator[bytes]:
    """Yield what is told of all files; ``files`` gets those whose content may be asked for, by number."""
    numbers = count()
    for prefix, some in groupby(roots, lambda root: root.prefix):
        if prefix:
            next(numbers)
            folder = Stat(path=prefix.encode(), mode=go_mode_of(stat.S_IFDIR | 0o755), modTime=mtime_ns or 0)
            yield Packet(type=Packet.PACKET_STAT, stat=folder).SerializeToString()
        for sent in _stats([root.fd for root in some if root.fd is not None], prefix, numbers, files):
            if mtime_ns is not None:
                sent.modTime = mtime_ns
            yield Packet(type=Packet.PACKET_STAT, stat=sent).SerializeToString()


def _together(roots: Sequence[int]) -> Iterator[tuple[int, Node]]:
    """Walk several folders as one, each node with the folder that it is of; one in several is the first's."""
    walks = [zip(repeat(root), walk(root), strict=False) for root in roots]
    before = None
    for root, node in merge(*walks, key=lambda found: found[1].path.split(b"/")):
        if node.path != before:
            before = node.path
            yield root, node


def _stats(
    roots: Sequence[int], prefix: str, numbers: Iterator[int], files: dict[int, tuple[int, bytes]]
) -> Iterator[Stat]:
    first: dict[tuple[int, int], bytes] = {}
    above = f"{prefix}/".encode() if prefix else b""
    for root, node in _together(roots):
        if stat.S_ISSOCK(node.status.st_mode):
            continue
        sent = _stat(node, first)
        number = next(numbers)
        if stat.S_ISREG(node.status.st_mode):
            files[number] = root, node.path
        sent.path = above + sent.path
        if sent.linkname and not stat.S_ISLNK(node.status.st_mode):
            sent.linkname = above + sent.linkname
        yield sent


def _stat(node: Node, first: dict[tuple[int, int], bytes]) -> Stat:
    """Return what is told of a file; ``first`` knows where each file with several names was told of first."""
    status, link = node.status, b""
    if stat.S_ISLNK(status.st_mode):
        link = os.readlink(node.name, dir_fd=node.folder_fd)
    elif stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        known = first.setdefault((status.st_dev, status.st_ino), node.path)
        link = known if known != node.path else b""
    return Stat(
        path=node.path,
        mode=go_mode_of(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size if stat.S_ISREG(status.st_mode) else 0,
        modTime=status.st_mtime_ns,
        linkname=link,
        devmajor=os.major(status.st_rdev),
        devminor=os.minor(status.st_rdev),
    )


async def _send_content(call: ClientCall, number: int, root: int, path: bytes) -> None:
    fd = await asyncio.to_thread(open_in_root, root, os.fsdecode(path), os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(fd, "rb", buffering=0) as file:
        while data := await asyncio.to_thread(file.read, _CHUNK):
            await call.send(Packet(type=Packet.PACKET_DATA, ID=number, data=data).SerializeToString())
    await call.send(Packet(type=Packet.PACKET_DATA, ID=number).SerializeToString())
