"""``wharf build`` through BuildKit's protocol: one connection on which we ask, and one on which we are asked."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from wharf.cli.build.lending import lend
from wharf.cli.build.link import WireLink
from wharf.cli.build.outputs import Output
from wharf.cli.build.recorded import provenance
from wharf.cli.build.serving import Lent, methods
from wharf.cli.build.show import Display, Watched
from wharf.client.client import Client
from wharf.rpc.channel import Channel
from wharf.rpc.methods import decoded
from wharf.rpc.server import serve
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb

_SERVICE = "/moby.buildkit.v1.Control/"
_FIELD = "X-Docker-Expose-Session-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A build: the frontend's options, where its result goes, and what it is lent."""

    attributes: dict[str, str]
    outputs: Sequence[Output]
    lent: Lent
    shared_key: str  # the same for each build of one folder: only what has changed is sent
    cache: pb.CacheOptions = field(default_factory=pb.CacheOptions)
    grants: Sequence[str] = ()  # what commands may do beyond their sandbox: network.host, security.insecure
    recorded: bool = False  # tell how results were made, too
    debug: bool = False  # give the user a shell when a step fails


def solve(client: Client, asked: Asked, display: Display) -> dict[str, str]:
    """Do a build and return what the engine tells of its result.

    Raises:
        CallFailed: why not.
    """
    return asyncio.run(_solve(client, asked, display))


async def _solve(client: Client, asked: Asked, display: Display) -> dict[str, str]:
    ref, session = secrets.token_hex(16), secrets.token_hex(16)
    table = methods(asked.lent)
    greeting = [(f"{_FIELD}Uuid", session), (f"{_FIELD}Sharedkey", asked.shared_key)]
    greeting += [(f"{_FIELD}Grpc-Method", path) for path in table]
    async with AsyncExitStack() as stack:
        asking = await _link(stack, client, "/grpc", [])
        lending = await _link(stack, client, "/session", greeting)
        channel = Channel(asking)
        stack.callback(channel.close)
        for work in (channel.run(), serve(lending, table)):
            stack.push_async_callback(_end, asyncio.create_task(work))
        await lend(stack, client, session, asked.lent.folders)
        watched = Watched(display)
        showing = asyncio.create_task(_show(channel, ref, watched))
        try:
            request = pb.SolveRequest(
                Ref=ref,
                Session=session,
                Frontend="dockerfile.v0",
                FrontendAttrs=asked.attributes,
                Cache=asked.cache,
                Entitlements=asked.grants,
                Exporters=[
                    pb.Exporter(Type=kind, Attrs=attrs) for kind, attrs in (o.exporter for o in asked.outputs)
                ],
            )
            answer = await _answered(channel, request, watched if asked.debug else None)
            with suppress(CallFailed):
                await showing
            told = dict(answer.ExporterResponse)
            if asked.recorded:
                told |= await provenance(channel, ref)
        finally:
            await _end(showing)
            watched.close()
    return told


async def _answered(channel: Channel, request: pb.SolveRequest, watched: Watched | None) -> pb.SolveResponse:
    if watched is None:
        return await channel.unary(f"{_SERVICE}Solve", request, pb.SolveResponse)
    from wharf.cli.build import debug as debugging  # noqa: PLC0415  # most builds need no more than the above

    return await debugging.solve(channel, request, watched)


async def _link(stack: AsyncExitStack, client: Client, path: str, more: Sequence[tuple[str, str]]) -> WireLink:
    wire = await asyncio.to_thread(lambda: client.hijack(path, protocol="h2c", more=more))
    stack.callback(wire.close)
    link = WireLink(wire)
    stack.push_async_callback(link.aclose)
    return link


async def _show(channel: Channel, ref: str, watched: Watched) -> None:
    try:
        async with channel.open(f"{_SERVICE}Status") as call:
            await call.send(pb.StatusRequest(Ref=ref).SerializeToString())
            await call.finish()
            async for message in call.messages():
                watched.take(decoded(pb.StatusResponse, message))
    finally:
        watched.end()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
