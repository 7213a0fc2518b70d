"""A frontend that is an image: a program in a container that asks for steps on its standard streams (gateway.v0).

It may do what a client may that is its own frontend, and has what any command of the build has: default confinement,
a network of its own, and no secret unless it asks for one by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import Final

import msgspec

from wharf.build.convert.convert import DEFAULT_PATH
from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.build.graph.operations import Exec, Mount, Source
from wharf.build.graph.vertex import Vertex
from wharf.engine.buildkit import worker
from wharf.engine.buildkit.gateway import Gateway, Seat
from wharf.engine.buildkit.job import Job, Jobs, Outcome
from wharf.engine.buildkit.stdio_link import StdioLink
from wharf.engine.builds.runner import Running, StepRunner, Streams
from wharf.errors import InvalidArgument
from wharf.images.platform import host
from wharf.lib.finishing import to_the_end
from wharf.lib.reference import parse_reference
from wharf.rpc.link import StreamLink
from wharf.rpc.server import serve
from wharf.spec.buildkit.ops_pb2 import Definition

_NO_NETWORK: Final = "moby.buildkit.frontend.network.none"  # a label of images that need none
_GRACE_S: Final = 5.0  # for the end of a program whose output has ended
_STRANGE: Final = "does not speak the gateway's protocol"


async def run_image(
    job: Job, jobs: Jobs, image: str, attributes: Mapping[str, str], inputs: Mapping[str, Definition]
) -> Outcome:
    """Run an image as a job's frontend and return what it comes to.

    Args:
        job: whose build it is.
        jobs: those that inputs may be results of.
        image: a reference; pulled if need be.
        attributes: options for it.
        inputs: what it is to work on.

    Raises:
        NotFound: there is no such image.
        InvalidArgument: it names no program, cannot be started, or ends without a result; with its last words.
        CallFailed: it says itself that it failed.
    """
    reference = str(parse_reference(image).with_default_tag())
    async with AsyncExitStack() as held:
        sources = job.sources()
        options = Options(host=host(), platform=host())
        base = await sources.base_image(ImageName(reference, host()), options, held.enter_context(ExitStack()))
        operation = operation_of(job, reference, base, attributes)
        source = Source(f"docker-image://{reference}", (("image.digest", base.digest),))
        root = await sources.fetch(Vertex(source), source)
        commands = job.workshop({}).commands
        prepared = await held.enter_async_context(commands.prepared(operation, [root], job.offers, held))
        runner = StepRunner(job.bench.context)
        running = await held.enter_async_context(runner.started(prepared.step, Streams(stdin=True)))
        seat = Seat(job, asyncio.get_running_loop().create_future(), inputs)
        return await _served(running, Gateway(jobs, seat), seat, reference)


def operation_of(job: Job, reference: str, base: BaseImage, attributes: Mapping[str, str]) -> Exec:
    """Return the command that an image's frontend is (BuildKit, frontend/gateway).

    Raises:
        InvalidArgument: the image names none.
    """
    config = base.config.get("config") or {}
    args = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    if not args:
        raise InvalidArgument(f"the image {reference} is no frontend: it names no program")
    workers = [{"id": job.bench.context.data.key, "platforms": [worker.platform_document(host())]}]
    env = [
        *(config.get("Env") or [f"PATH={DEFAULT_PATH}"]),
        *(f"BUILDKIT_FRONTEND_OPT_{i}={name}={value}" for i, (name, value) in enumerate(sorted(attributes.items()))),
        f"BUILDKIT_SESSION_ID={job.session_id}",
        f"BUILDKIT_WORKERS={msgspec.json.encode(workers).decode()}",
        "BUILDKIT_EXPORTEDPRODUCT=wharf",
    ]
    return Exec(
        args=tuple(args),
        env=tuple(env),
        cwd=config.get("WorkingDir") or "/",
        user=config.get("User") or "",
        mounts=(Mount("/", 0),),
        network="none" if _NO_NETWORK in (config.get("Labels") or {}) else "default",
    )


async def _served(running: Running, gateway: Gateway, seat: Seat, reference: str) -> Outcome:
    """Answer a frontend until it has a result; it is ended then."""
    reader, writer = await asyncio.open_connection(sock=running.socket.dup())
    link = StdioLink(StreamLink(reader, writer))
    serving = asyncio.create_task(serve(link, gateway.methods()))
    serving.add_done_callback(lambda _: seat.returned.cancel())
    try:
        await asyncio.wait({seat.returned})
        if not seat.returned.cancelled():
            return seat.returned.result()
    finally:
        serving.cancel()
        await to_the_end(asyncio.create_task(_settled(serving)))
        writer.close()
    said = await _ending(running) if link.at_end else _STRANGE
    raise InvalidArgument(f"the frontend {reference} {said}" + f": {link.last_words}" * bool(link.last_words))


async def _settled(task: asyncio.Task[None]) -> None:
    await asyncio.gather(task, return_exceptions=True)


async def _ending(running: Running) -> str:
    try:
        async with asyncio.timeout(_GRACE_S):
            code = (await asyncio.shield(running.shim.exited))["exit_code"]
    except TimeoutError:
        return _STRANGE
    return f"ended without a result, exit code: {code}"
