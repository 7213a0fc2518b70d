"""docker build: a request, from its context to its image."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
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
from wharf.engine.builds.offers import NoOffers
from wharf.engine.builds.project import Project
from wharf.engine.builds.request import limits_of, options_of
from wharf.engine.builds.runner import StepRunner
from wharf.engine.builds.sources import Sources
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, NotFound, WharfError
from wharf.images.bridge import Blocking
from wharf.images.lookup import tagged
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.engine_api.build import BuildRequest

Document = dict[str, object]
T = TypeVar("T")


class Builder:
    """What the builds of one engine share."""

    def __init__(self, context: Context, cache: Cache) -> None:
        self._context = context
        self._store = Store(context.snapshots, context.database)
        self._cache = cache
        self._digests = Digests()
        self._blocking = Blocking()

    def _has(self, image: str) -> bool:
        """Whether an image that a build may take results from is here: of all others' nothing is taken then."""
        try:
            self._context.images.resolve(image)
        except (NotFound, InvalidArgument):
            return False
        return True

    def _workshop(self, runner: StepRunner) -> Workshop:
        commands = Commands(self._store, runner, self._context.data, self._context.run)
        return Workshop(self._store, self._cache, commands, self._digests)

    async def build(self, chunks: AsyncIterator[bytes], request: BuildRequest) -> AsyncGenerator[Document, None]:
        """Build an image; arguments and errors are those of ``BuildVerbs.build``."""
        options, names = options_of(request), _names(request)
        if (known := request.get("cachefrom")) and not any(self._has(image) for image in known):
            options = replace(options, no_cache=True)
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
            workshop = self._workshop(StepRunner(self._context, limits_of(request)))
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
        for document in _ending(image, names, quiet=quiet):
            yield document


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
