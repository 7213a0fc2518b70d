"""docker build, docker builder prune: what a request asks for, done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

from wharf.build import context as contexts
from wharf.build.dockerfile.stages import read
from wharf.build.operations.exec import Commands
from wharf.build.operations.selection import Digests
from wharf.build.operations.store import Store
from wharf.build.solver.cache import Cache
from wharf.build.solver.progress import Event, Progress
from wharf.build.solver.solver import Workshop
from wharf.engine.builds import classic
from wharf.engine.builds.collecting import Collection, collect, records_of
from wharf.engine.builds.offers import NoOffers
from wharf.engine.builds.project import Project
from wharf.engine.builds.request import limits_of, options_of
from wharf.engine.builds.runner import StepRunner
from wharf.engine.builds.sources import Sources
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, WharfError
from wharf.images.bridge import Blocking
from wharf.images.images import tagged
from wharf.lib.filters import Filters
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.engine_api.build import BuildPruneResponse, BuildRequest, CacheRecord

Document = dict[str, object]
T = TypeVar("T")


class BuildVerbs:
    """The builds of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = Store(context.snapshots, context.database)
        self._cache = Cache(context.database, context.snapshots)
        self._digests = Digests()
        self._blocking = Blocking()

    async def start(self) -> None:
        """Remove what killed builds left."""
        await asyncio.to_thread(contexts.sweep, self._context.data)

    def workshop(self, runner: StepRunner) -> Workshop:
        """Return what the solvers of a build share, with its runner."""
        commands = Commands(self._store, runner, self._context.data, self._context.run)
        return Workshop(self._store, self._cache, commands, self._digests)

    async def build(self, chunks: AsyncIterator[bytes], request: BuildRequest) -> AsyncIterator[Document]:
        """Build an image from a context's archive; yields what Docker's old builder writes.

        Args:
            chunks: the archive, compressed in any usual way, or not; ignored with ``remote``.
            request: what is asked for.

        Raises:
            InvalidArgument: the request, the archive or the Dockerfile is malformed.
            NotFound: an image that it starts from does not exist.
        """
        options, names = options_of(request), _names(request)
        async with AsyncExitStack() as stack:
            work = await _entered(stack, self._context)
            folder = work / "context"
            sources = Sources(self._context, work, {"context": folder})
            if request.get("remote"):
                await sources.receive_remote(request["remote"], folder)
            else:
                await self._blocking.run_with(chunks, lambda source: contexts.receive(source, folder))
            name = request.get("dockerfile") or ""
            text = await asyncio.to_thread(contexts.read_dockerfile, folder, name)
            await asyncio.to_thread(contexts.drop_ignored, folder, name)
            project = Project(self._context, sources, read(text), options)
            converted = await stack.enter_async_context(project)
            narrator = classic.Narrator(classic.steps_of(project.dockerfile, converted.target, options.target))
            queue: asyncio.Queue[Event | None] = asyncio.Queue()
            workshop = self.workshop(StepRunner(self._context, limits_of(request)))
            solving = asyncio.create_task(
                _then(project.solve(workshop, NoOffers(), Progress(queue.put_nowait)), queue)
            )
            stack.push_async_callback(_settle, solving)
            quiet = bool(request.get("q"))
            while (event := await queue.get()) is not None:
                for document in narrator.take(event):
                    if not quiet:
                        yield document
            try:
                result = await solving
            except WharfError as error:
                yield classic.failure(error)
                return
            for document in narrator.finish():
                if not quiet:
                    yield document
            image = await project.export(result, self._cache, names)
        await self.collect_old()
        for document in _ending(image, names, quiet=quiet):
            yield document

    async def prune(
        self, filters: Filters, *, everything: bool = True, kept_bytes: int = 0, most_bytes: int = 0
    ) -> BuildPruneResponse:
        """Remove results that no build holds.

        Args:
            filters: which; all of them unless told otherwise.
            everything: as Docker's; all results here are of one kind, so it changes nothing.
            kept_bytes: keep so many bytes of the newest ones.
            most_bytes: likewise.

        Raises:
            InvalidArgument: a filter is unknown or malformed.
        """
        del everything
        return await collect(self._context, self._cache, filters, Collection(kept_bytes, most_bytes))

    async def collect_old(self) -> None:
        """Remove what was not used for long, and what is too much."""
        await collect(self._context, self._cache, {}, Collection.by_policy())

    async def usage(self) -> list[CacheRecord]:
        """Return the results that are kept."""
        return await asyncio.to_thread(records_of, self._cache)


def _names(request: BuildRequest) -> list[Reference]:
    names = []
    for text in request.get("t") or ():
        reference = parse_reference(text)
        names.append(tagged(reference.repository, reference.tag))
        if reference.digest:
            raise InvalidArgument("invalid reference format: refusing to create a tag with a digest reference")
    return names


def _ending(image: str, names: Sequence[Reference], *, quiet: bool) -> list[Document]:
    if quiet:
        return [{"stream": f"{image}\n"}]
    lines: list[Document] = [{"aux": {"ID": image}}, {"stream": f"Successfully built {image[7:19]}\n"}]
    return lines + [{"stream": f"Successfully tagged {name.familiar}\n"} for name in names]


async def _entered(stack: AsyncExitStack, context: Context) -> Path:
    place = contexts.workplace(context.data)
    path = await asyncio.to_thread(place.__enter__)
    stack.push_async_callback(asyncio.to_thread, place.__exit__, None, None, None)
    return path


async def _then(work: Coroutine[object, object, T], queue: asyncio.Queue[Event | None]) -> T:
    """Do the work, and end the queue whatever becomes of it."""
    try:
        return await work
    finally:
        queue.put_nowait(None)


async def _settle(task: asyncio.Task[object]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
