"""A client of BuildKit's on an engine of its own: a session that it serves, and calls that it makes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from tests.fakes.buildkit_client import FakeClient
from tests.fakes.links import links
from tests.root.engine.builds.conftest import Body, builds, on_engine, root

import wharf
from wharf.rpc.channel import Channel
from wharf.rpc.methods import Method, decoded
from wharf.rpc.server import serve
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.buildkit import gateway_pb2 as gateway

__all__ = ["Body", "Run", "builds", "on_engine", "root"]

Run = Callable[[Body], None]
CONTROL = "/moby.buildkit.v1.Control/"
BRIDGE = "/moby.buildkit.v1.frontend.LLBBridge/"


@dataclass
class Told:
    """What a build told its client."""

    vertices: dict[str, pb.Vertex] = field(default_factory=dict)  # by name, the last word
    logs: str = ""
    warnings: list[str] = field(default_factory=list)

    def take(self, response: pb.StatusResponse) -> None:
        self.vertices |= {vertex.name: vertex for vertex in response.vertexes}
        self.logs += "".join(log.msg.decode() for log in response.logs)
        self.warnings += [warning.short.decode() for warning in response.warnings]

    def cached(self) -> list[str]:
        return [name for name, vertex in self.vertices.items() if vertex.cached]


@dataclass
class Client:
    """One client, connected."""

    channel: Channel
    fake: FakeClient
    session: str

    def request(self, text: str = "", /, **attributes: str) -> pb.SolveRequest:
        """Ask for a Dockerfile's build, into the engine's images as ``made``."""
        if text:
            self.fake.folders["dockerfile"] = {"Dockerfile": text.encode()}
        self.fake.folders.setdefault("context", {})
        names = {name.replace("_", "-"): value for name, value in attributes.items()}
        return pb.SolveRequest(
            Ref=secrets.token_hex(8),
            Session=self.session,
            Frontend="dockerfile.v0",
            FrontendAttrs=names,
            Exporters=[pb.Exporter(Type="moby", Attrs={"name": "made"})],
        )

    async def solve(self, request: pb.SolveRequest) -> dict[str, str]:
        answer = await self.channel.unary(f"{CONTROL}Solve", request, pb.SolveResponse)
        return dict(answer.ExporterResponse)

    async def follow(self, ref: str) -> Told:
        """Take all that a build tells, to its end."""
        told = Told()
        async with self.channel.open(f"{CONTROL}Status") as call:
            await call.send(pb.StatusRequest(Ref=ref).SerializeToString())
            await call.finish()
            async for message in call.messages():
                told.take(decoded(pb.StatusResponse, message))
        return told

    async def build(self, text: str = "", /, **attributes: str) -> tuple[dict[str, str], Told]:
        """Build, and follow what is told."""
        request = self.request(text, **attributes)
        following = asyncio.ensure_future(self.follow(request.Ref))
        try:
            response = await self.solve(request)
        finally:
            told = await following
        return response, told

    async def ask(self, ref: str, request: gateway.SolveRequest) -> gateway.SolveResponse:
        """Ask the gateway of a job for a result."""
        metadata = {"buildkit-controlapi-buildid": [ref]}
        return await self.channel.unary(f"{BRIDGE}Solve", request, gateway.SolveResponse, metadata)


@asynccontextmanager
async def connected(
    engine: wharf.Engine, fake: FakeClient | None = None, more: Mapping[str, Method] | None = None
) -> AsyncIterator[Client]:
    """Connect a client to an engine; it goes at the end, and so does its session."""
    fake = fake or FakeClient()
    near, far = links()
    ours, theirs = links()
    channel = Channel(near)
    session = secrets.token_hex(8)
    methods = {**fake.methods(), **(more or {})}
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.builds.serve(far))
        group.create_task(serve(theirs, methods))
        group.create_task(engine.builds.hold_session(ours, session, shared_key="the same folder", methods=methods))
        group.create_task(channel.run())
        await (await engine.builds._buildkit()).sessions.get(session)
        try:
            yield Client(channel, fake, session)
        finally:
            for link in (near, far, ours, theirs):
                link.close()


@asynccontextmanager
async def asked(client: Client, text: str) -> AsyncIterator[tuple[str, dict[str, list[str]]]]:
    """Begin a job whose client is its own frontend, as buildx does; it is given up at the end."""
    request = client.request(text)
    request.Frontend = ""
    solving = asyncio.ensure_future(client.solve(request))
    try:
        yield request.Ref, {"buildkit-controlapi-buildid": [request.Ref]}
    finally:
        solving.cancel()
        await asyncio.gather(solving, return_exceptions=True)


@dataclass
class Said:
    """What a process of the gateway's has written, and how it ended."""

    out: str = ""
    err: str = ""
    code: int = -1
    error: str = ""
    done: bool = False


class Talker:
    """A stream of ExecProcess, with as many processes as one likes."""

    def __init__(self, client: Client, metadata: Mapping[str, list[str]]) -> None:
        self._call = client.channel.open(f"{BRIDGE}ExecProcess", metadata)
        self._said: dict[str, Said] = {}
        self._started: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._call.__aexit__()

    async def start(self, container: str, *args: str, stdin: bool = True, tty: bool = False, **meta: Any) -> str:
        name = secrets.token_hex(4)
        init = gateway.InitMessage(ContainerID=container, Fds=[0, 1, 2] if stdin else [1, 2], Tty=tty)
        init.Meta.args.extend(args)
        init.Meta.env.extend(meta.get("env", []))
        init.Meta.cwd, init.Meta.user = meta.get("cwd", "/"), meta.get("user", "")
        await self.send(name, Init=init)
        while name not in self._started:
            await self._read()
        return name

    async def run(self, container: str, *args: str, **more: Any) -> Said:
        return await self.follow(await self.start(container, *args, **more))

    async def send(self, name: str, **fields: Any) -> None:
        await self._call.send(gateway.ExecMessage(ProcessID=name, **fields).SerializeToString())

    async def write(self, name: str, data: bytes, *, last: bool = False) -> None:
        await self.send(name, File=gateway.FdMessage(Fd=0, Data=data, EOF=last))

    async def follow(self, name: str) -> Said:
        while not self._said.setdefault(name, Said()).done:
            await self._read()
        return self._said[name]

    async def until(self, name: str, words: str) -> None:
        while words not in self._said.setdefault(name, Said()).out:
            await self._read()

    async def _read(self) -> None:
        async with asyncio.timeout(20):
            message = decoded(gateway.ExecMessage, await self._call.receive() or b"")
        said = self._said.setdefault(message.ProcessID, Said())
        match message.WhichOneof("Input"):
            case "Started":
                self._started.add(message.ProcessID)
            case "File" if message.File.Fd == 1:
                said.out += message.File.Data.decode()
            case "File":
                said.err += message.File.Data.decode()
            case "Exit":
                said.code, said.error = message.Exit.Code, message.Exit.Error.message
            case "Done":
                said.done = True
