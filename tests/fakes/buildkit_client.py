"""A client of BuildKit's: what ``docker buildx`` serves on its session, from a table of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from google.protobuf.message import Message

from wharf.errors import NotFound
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, decoded, unary
from wharf.rpc.status import UNKNOWN, CallFailed
from wharf.spec.buildkit import secrets_pb2, ssh_pb2
from wharf.spec.buildkit.stat_pb2 import Stat
from wharf.spec.buildkit.wire_pb2 import Packet

FOLDER_MODE = 1 << 31 | 0o755
LINK_MODE = 1 << 27 | 0o777


def stat(path: str, content: bytes | None = b"", **more: object) -> Stat:
    """What a client says of a file; None is a folder's content."""
    mode = FOLDER_MODE if content is None else 0o644
    more |= {"linkname": os.fsencode(str(more.get("linkname", "")))}
    told = {"path": os.fsencode(path), "mode": mode, "size": len(content or b""), "modTime": 10**18, **more}
    return Stat(**told)  # type: ignore[arg-type]


def listing(files: Mapping[str, bytes]) -> list[Stat]:
    """Files with the folders they lie in, in the order of a walk."""
    folders = {"/".join(path.split("/")[:n]) for path in files for n in range(1, path.count("/") + 1)}
    paths = sorted([*files, *folders], key=lambda path: os.fsencode(path).split(b"/"))
    return [stat(path, files.get(path)) for path in paths]


@dataclass
class FakeClient:
    """Serves folders by name, secrets and an agent; notes what it is asked."""

    folders: dict[str, dict[str, bytes]] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)
    agents: dict[str, bytes] = field(default_factory=dict)  # what each agent answers before what it is told
    script: list[Packet] | None = None  # instead of a folder: packets, whatever is asked
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)  # paths whose content was asked for

    def methods(self) -> dict[str, Method]:
        return {
            "/moby.filesync.v1.FileSync/DiffCopy": self._diff_copy,
            "/moby.buildkit.secrets.v1.Secrets/GetSecret": unary(secrets_pb2.GetSecretRequest, self._secret),
            "/moby.sshforward.v1.SSH/CheckAgent": unary(ssh_pb2.CheckAgentRequest, self._check_agent),
            "/moby.sshforward.v1.SSH/ForwardAgent": self._forward,
        }

    async def _diff_copy(self, call: Call) -> None:
        self.asked.append(call.metadata)
        if self.script is not None:
            for packet in self.script:
                await call.send(packet.SerializeToString())
            await call.receive()
            return
        files = self.folders[unquote_plus(call.metadata["dir-name"][0])]
        wanted = call.metadata.get("followpaths")
        if wanted:
            files = {path: data for path, data in files.items() if _is_below(path, wanted)}
        stats = listing(files)
        for one in stats:
            await call.send(Packet(type=Packet.PACKET_STAT, stat=one).SerializeToString())
        await call.send(Packet(type=Packet.PACKET_STAT).SerializeToString())
        async for message in call.messages():
            packet = decoded(Packet, message)
            if packet.type == Packet.PACKET_FIN:
                await call.send(packet.SerializeToString())
                return
            path = os.fsdecode(stats[packet.ID].path)
            self.sent.append(path)
            data = files[path]
            for part in (data[: len(data) // 2], data[len(data) // 2 :]):
                if part:
                    await call.send(Packet(type=Packet.PACKET_DATA, ID=packet.ID, data=part).SerializeToString())
            await call.send(Packet(type=Packet.PACKET_DATA, ID=packet.ID).SerializeToString())

    async def _secret(self, request: secrets_pb2.GetSecretRequest, call: Call) -> Message:
        if request.ID not in self.secrets:
            raise NotFound(f"secret {request.ID}: not found")
        return secrets_pb2.GetSecretResponse(data=self.secrets[request.ID])

    async def _check_agent(self, request: ssh_pb2.CheckAgentRequest, call: Call) -> Message:
        if (request.ID or "default") not in self.agents:
            raise CallFailed(UNKNOWN, f"unset ssh forward key {request.ID}")
        return ssh_pb2.CheckAgentResponse()

    async def _forward(self, call: Call) -> None:
        name = call.metadata["buildkit.ssh.id"][0]
        async for message in call.messages():
            heard = decoded(ssh_pb2.BytesMessage, message).data
            await call.send(ssh_pb2.BytesMessage(data=self.agents[name] + heard).SerializeToString())


def _is_below(path: str, wanted: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in wanted)
