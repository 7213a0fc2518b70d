"""Results of graphs that a client hands over itself."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial
from typing import Final

from google.protobuf.message import DecodeError

from wharf.build.caches.config import Kept
from wharf.build.convert.options import ImageName, Options
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Edge, Vertex
from wharf.build.llb.decode import decode, program_of
from wharf.build.llb.sources import RESULT
from wharf.build.operations.results import Layers, Result
from wharf.build.solver.solver import Solver
from wharf.engine.buildkit import looking
from wharf.engine.buildkit.failures import described
from wharf.engine.buildkit.job import Job, Origin
from wharf.engine.builds.entitlements import require_granted
from wharf.engine.builds.platforms import require_runnable
from wharf.engine.builds.sources import Sources
from wharf.errors import InvalidArgument, WharfError
from wharf.images.platform import Platform, host, parse_platform
from wharf.spec.buildkit.ops_pb2 import Definition

_MOST_NESTED: Final = 32


class GraphRef:
    """The result of a graph."""

    def __init__(self, job: Job, definition: Definition, edge: Edge, solver: Solver, sources: Sources) -> None:
        self.definition = definition
        self._job = job
        self._edge = edge
        self._solver = solver
        self._sources = sources

    @property
    def platform(self) -> Platform:
        """What it was made for."""
        return parse_platform(self._edge.vertex.platform) if self._edge.vertex.platform else host()

    async def solve(self) -> Result:
        """Do the graph, once.

        Raises:
            CallFailed: a step could not be done.
        """
        try:
            return await self.result()
        except WharfError as error:
            raise described(error, job=self._job) from error

    async def result(self) -> Result:
        """Do the graph, once, for another one.

        Raises:
            StepFailed: a step could not be done.
        """
        return await self._solver.solve(self._edge)

    async def kept(self) -> list[Kept]:
        """Return what is kept of all that it needs, once it is solved."""
        return await self._solver.kept(self._edge)

    @property
    def origin(self) -> Origin:
        """What it is made of."""
        return Origin(self._edge, self._sources)


async def graph(job: Job, definition: Definition, depth: int = 0) -> GraphRef | None:
    """Return the result of a definition, which is done when asked for; None for nothing.

    Args:
        job: whose build it is.
        definition: the operations.
        depth: of how many others it is a part.

    Raises:
        InvalidArgument: it is malformed, or there is no end of definitions in others.
        Forbidden: its commands want what the client did not grant.
        NotFound: an image that it starts from does not exist.
        NotImplementedHere: an operation of it is not supported.
    """
    if depth > _MOST_NESTED:
        raise InvalidArgument(f"build operations are nested more than {_MOST_NESTED} deep")
    program = program_of(definition)
    sources = job.sources()
    held = job.stack.enter_context(ExitStack())
    pinned = {}
    for reference, platform in program.images():
        name = ImageName(reference, parse_platform(platform) if platform else host())
        base = await sources.base_image(name, Options(host=host(), platform=name.platform), held)
        pinned[reference, platform] = base.digest
    target = decode(program, pinned)
    if target is None:
        return None
    require_granted(target, job.grants)
    require_runnable(target, host())
    job.journal.announce(target)
    nested = partial(_nested, job, depth + 1)

    async def fetch(vertex: Vertex, source: Source) -> Result:
        if source.scheme == RESULT:
            return await (await job.find_result(source.rest)).solve()
        return await sources.fetch(vertex, source)

    solver = Solver(job.workshop({}), fetch, job.offers, job.progress, job.imports, nested=nested)
    return GraphRef(job, definition, target, await job.stack.enter_async_context(solver), sources)


async def _nested(job: Job, depth: int, held: Result, path: str) -> Result:
    """Do the definition that a file of a result holds."""

    def opened() -> bytes:
        with job.bench.store.open(held) as root:
            return looking.read(root, path, None)

    try:
        definition = Definition.FromString(await asyncio.to_thread(opened))
    except DecodeError as error:
        raise InvalidArgument(f"{path} is no definition: {error}") from None
    ref = await graph(job, definition, depth)
    return Layers() if ref is None else await ref.result()
