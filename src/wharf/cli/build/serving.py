"""What a build may ask of us while it runs: files, secrets, SSH agents, who we are, and to take its results."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO
from urllib.parse import unquote_plus

from google.protobuf.message import Message

from wharf.cli.build.contents import Contents
from wharf.cli.build.folders import Selection, followed, stat_of
from wharf.client.credentials import HUB, stored_for
from wharf.errors import InvalidArgument, NotFound
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, decoded, unary
from wharf.rpc.status import UNKNOWN, CallFailed
from wharf.spec.buildkit import auth_pb2, secrets_pb2, ssh_pb2
from wharf.spec.buildkit.filesync_pb2 import BytesMessage
from wharf.spec.buildkit.wire_pb2 import Packet

_CHUNK = 1 << 18
_BATCH = 512
_BATCH_BYTES = 1 << 20
_MAX_SECRET_BYTES = 500 * 1024


@dataclass(frozen=True, slots=True)
class Lent:
    """What a build is lent. Paths are this machine's."""

    folders: Mapping[str, str]  # by the names that the build knows them by
    secrets: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)  # id → socket
    results: Mapping[int, BinaryIO] = field(default_factory=dict)  # by the exporter's number
    stores: Mapping[str, str] = field(default_factory=dict)  # folders of blobs, by the names that the build has


def methods(lent: Lent) -> dict[str, Method]:
    """Return what we answer to, by path."""
    serving = _Serving(lent)
    found: dict[str, Method] = {
        "/moby.filesync.v1.FileSync/DiffCopy": serving.files,
        "/moby.filesync.v1.Auth/Credentials": unary(auth_pb2.CredentialsRequest, serving.credentials),
    }
    if lent.secrets:
        secret = unary(secrets_pb2.GetSecretRequest, serving.secret)
        found["/moby.buildkit.secrets.v1.Secrets/GetSecret"] = secret
    if lent.agents:
        found["/moby.sshforward.v1.SSH/CheckAgent"] = unary(ssh_pb2.CheckAgentRequest, serving.check_agent)
        found["/moby.sshforward.v1.SSH/ForwardAgent"] = serving.forward_agent
    if lent.results:
        found["/moby.filesync.v1.FileSend/DiffCopy"] = serving.result
    if lent.stores:
        found |= Contents(lent.stores).methods()
    return found


class _Serving:
    def __init__(self, lent: Lent) -> None:
        self._lent = lent

    async def files(self, call: Call) -> None:
        """Tell what is in a folder, then send the files that are asked for."""
        asked = _asked(call.metadata)
        name = next(iter(asked.get("dir-name", [])), "")
        folder = self._lent.folders.get(name)
        if folder is None:
            raise NotFound(f"no access allowed to dir {name!r}")
        include = [*asked.get("include-patterns", []), *followed(folder, asked.get("followpaths", []))]
        selection = Selection(include, asked.get("exclude-patterns", []))
        files = await _tell(call, folder, selection)
        await call.send(Packet(type=Packet.PACKET_STAT).SerializeToString())
        while (message := await call.receive()) is not None:
            packets = [decoded(Packet, message), *(decoded(Packet, one) for one in call.ready(_BATCH_BYTES))]
            asked_for = [packet.ID for packet in packets if packet.type == Packet.PACKET_REQ]
            if unknown := [number for number in asked_for if number not in files]:
                raise InvalidArgument(f"the engine asked for what it was not told of: {unknown[0]}")
            await _send_contents(call, _contents(folder, {number: files[number] for number in asked_for}))
            if fin := next((packet for packet in packets if packet.type == Packet.PACKET_FIN), None):
                await call.send(fin.SerializeToString())
                return

    async def credentials(self, request: auth_pb2.CredentialsRequest, call: Call) -> Message:
        """Tell who we are to a registry."""
        del call
        server = HUB if request.Host in ("docker.io", "index.docker.io") else request.Host
        username, secret = await asyncio.to_thread(stored_for, server, os.environ)
        return auth_pb2.CredentialsResponse(Username=username, Secret=secret)

    async def secret(self, request: secrets_pb2.GetSecretRequest, call: Call) -> Message:
        """Lend a secret."""
        del call
        read = self._lent.secrets.get(request.ID)
        if read is None:
            raise NotFound(f"secret {request.ID}: not found")
        data = await asyncio.to_thread(read)
        if len(data) > _MAX_SECRET_BYTES:
            raise InvalidArgument(f"invalid secret size {len(data)}: at most {_MAX_SECRET_BYTES} bytes are lent")
        return secrets_pb2.GetSecretResponse(data=data)

    async def check_agent(self, request: ssh_pb2.CheckAgentRequest, call: Call) -> Message:
        """Tell whether there is an agent of that name."""
        del call
        if (request.ID or "default") not in self._lent.agents:
            raise CallFailed(UNKNOWN, f"unset ssh forward key {request.ID}")
        return ssh_pb2.CheckAgentResponse()

    async def forward_agent(self, call: Call) -> None:
        """Carry a step's talk with an agent."""
        name = next(iter(call.metadata.get("buildkit.ssh.id", [])), "default")
        path = self._lent.agents.get(name)
        if path is None:
            raise CallFailed(UNKNOWN, f"unset ssh forward key {name}")
        reader, writer = await asyncio.open_unix_connection(path)
        answering = asyncio.ensure_future(_answers(reader, call))
        try:
            async for message in call.messages():
                writer.write(decoded(ssh_pb2.BytesMessage, message).data)
                await writer.drain()
        finally:
            answering.cancel()
            writer.close()  # before anything is waited for: a step that ends may cancel this more than once
            await asyncio.gather(answering, return_exceptions=True)

    async def result(self, call: Call) -> None:
        """Take a result."""
        number = next(iter(call.metadata.get("buildkit-attachable-exporter-id", [])), "0")
        file = self._lent.results.get(int(number)) if number.isdigit() else None
        if file is None:
            raise NotFound(f"nothing takes the result {number}")
        async for message in call.messages():
            await asyncio.to_thread(file.write, decoded(BytesMessage, message).data)


def _asked(metadata: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return what is asked for, with what was quoted as it was (BuildKit, session/filesync)."""
    encoded = {name.removesuffix("-encoded") for name in metadata if name.endswith("-encoded")}
    return {
        name: [unquote_plus(value, errors="surrogateescape") for value in values] if name in encoded else list(values)
        for name, values in metadata.items()
    }


async def _tell(call: Call, folder: str, selection: Selection) -> dict[int, str]:
    """Tell what is there; return the files whose content can be asked for, by their numbers."""
    entries = selection.walk(folder)
    files: dict[int, str] = {}
    first: dict[tuple[int, int], str] = {}
    count = 0
    while batch := await asyncio.to_thread(lambda: list(islice(entries, _BATCH))):
        told: list[bytes] = []
        for path, status in batch:
            if stat.S_ISSOCK(status.st_mode):
                continue
            if stat.S_ISREG(status.st_mode):
                files[count] = path
            count += 1
            one = Packet(type=Packet.PACKET_STAT, stat=stat_of(folder, path, status, first))
            told.append(one.SerializeToString())
        await call.send_all(told)
    return files


def _contents(folder: str, files: Mapping[int, str]) -> Iterator[bytes]:
    """Yield files in packets, an empty one after each; blocking.

    Raises:
        InvalidArgument: one cannot be read.
    """
    for number, name in files.items():
        path = os.path.join(folder, name)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise InvalidArgument(f"open {path}: {(error.strerror or '').lower()}") from error
        try:
            size = _CHUNK
            while size == _CHUNK and (data := os.read(fd, _CHUNK)):
                yield Packet(type=Packet.PACKET_DATA, ID=number, data=data).SerializeToString()
                size = len(data)  # a file gives less than it is asked for at its end alone
        finally:
            os.close(fd)
        yield Packet(type=Packet.PACKET_DATA, ID=number).SerializeToString()


async def _send_contents(call: Call, packets: Iterator[bytes]) -> None:
    while some := await asyncio.to_thread(_some, packets):
        await call.send_all(some)


def _some(packets: Iterator[bytes]) -> list[bytes]:
    """Return the next packets, of a batch's size: small files go many at once."""
    taken: list[bytes] = []
    size = 0
    while size < _BATCH_BYTES and (packet := next(packets, None)) is not None:
        taken.append(packet)
        size += len(packet)
    return taken


async def _answers(reader: asyncio.StreamReader, call: Call) -> None:
    while data := await reader.read(_CHUNK):
        await call.send(ssh_pb2.BytesMessage(data=data).SerializeToString())
