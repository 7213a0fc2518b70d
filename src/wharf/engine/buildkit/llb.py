"""Results of graphs that a client hands over itself."""

from __future__ import annotations

from contextlib import ExitStack

from wharf.build.caches.config import Kept
from wharf.build.convert.options import ImageName, Options
from wharf.build.graph.vertex import Edge
from wharf.build.llb.decode import decode, program_of
from wharf.build.operations.results import Result
from wharf.build.solver.solver import Solver
from wharf.engine.buildkit.failures import described
from wharf.engine.buildkit.job import Job, Origin
from wharf.engine.builds.entitlements import require_granted
from wharf.engine.builds.platforms import require_runnable
from wharf.engine.builds.sources import Sources
from wharf.errors import WharfError
from wharf.images.platform import Platform, host, parse_platform
from wharf.spec.buildkit.ops_pb2 import Definition


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
            return await self._solver.solve(self._edge)
        except WharfError as error:
            raise described(error, job=self._job) from error

    async def kept(self) -> list[Kept]:
        """Return what is kept of all that it needs, once it is solved."""
        return await self._solver.kept(self._edge)

    @property
    def origin(self) -> Origin:
        """What it is made of."""
        return Origin(self._edge, self._sources)


async def graph(job: Job, definition: Definition) -> GraphRef | None:
    """Return the result of a definition, which is done when asked for; None for nothing.

    Raises:
        InvalidArgument: it is malformed.
        Forbidden: its commands want what the client did not grant.
        NotFound: an image that it starts from does not exist.
        NotImplementedHere: an operation of it is not supported.
    """
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
    solver = Solver(job.workshop({}), sources.fetch, job.offers, job.progress, job.imports)
    return GraphRef(job, definition, target, await job.stack.enter_async_context(solver), sources)
