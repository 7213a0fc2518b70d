"""docker build: a request, from its context to its image."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, ExitStack, aclosing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Generic, TypeVar

from wharf.build import context as contexts
from wharf.build.convert.convert import Converted
from wharf.build.epoch import EPOCH
from wharf.build.operations.exec import Commands
from wharf.build.operations.results import Layers
from wharf.build.operations.selection import Digests
from wharf.build.operations.store import Store
from wharf.build.solver.cache import Cache
from wharf.build.solver.progress import Event, Progress
from wharf.build.solver.solver import Workshop
from wharf.engine.builds import calls, classic
from wharf.engine.builds.entitlements import NETWORK_HOST, granted, require_granted
from wharf.engine.builds.inline import inline_imports
from wharf.engine.builds.offers import NoOffers
from wharf.engine.builds.project import Project
from wharf.engine.builds.pulling import Pulling, registry_config
from wharf.engine.builds.readings import Readings
from wharf.engine.builds.request import limits_of, options_of
from wharf.engine.builds.runner import StepRunner
from wharf.engine.builds.sources import Received, Sources
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, NotFound, WharfError
from wharf.images.bridge import Blocking
from wharf.images.lookup import tagged
from wharf.lib.digest import Digest
from wharf.lib.memo import Memo
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.engine_api.build import BuildRequest
from wharf.storage.tar_reader import Source

Document = dict[str, object]
T = TypeVar("T")
U = TypeVar("U")
_MOST_MADE: Final = 64
_SMALL_BYTES: Final = 1 << 18  # of a context that is taken in as a whole


class Builder:
    """What the builds of one engine share."""

    def __init__(self, context: Context, cache: Cache) -> None:
        self._context = context
        self._store = Store(context.snapshots, context.database)
        self._cache = cache
        self._digests = Digests()
        self._readings = Readings()
        self._made = Memo[Digest](_MOST_MADE)
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
        async with aclosing(self._build(chunks, request)) as documents:
            async for document in documents:
                if not request.get("q"):
                    yield document
                elif quiet := _when_quiet(document):
                    yield quiet

    async def _build(self, chunks: AsyncIterator[bytes], request: BuildRequest) -> AsyncGenerator[Document, None]:
        options = options_of(request)
        _names(request)  # malformed ones are refused first
        if (known := request.get("cachefrom")) and not any(self._has(image) for image in known):
            options = replace(options, no_cache=True)
        async with AsyncExitStack() as stack:
            work = _entered(stack, self._context)
            folder = work / "context"
            told: _Told[Document] = _Told()
            pulling = Pulling(self._context, registry_config(request.get("registry_config") or ""), told.put)
            sources = Sources(self._context, work, Received(folder), pulling)
            text, time_s = await self._received(sources, chunks, request, folder)
            options = replace(options, context_epoch_s=time_s)
            if call := request.get("call"):
                yield {"aux": asdict(calls.answer(call, text, options, sources.image_here))}
                return
            reading = self._readings.of(text.source)
            project = Project(self._context, sources, reading, options)
            entering = asyncio.create_task(told.until_end_of(stack.enter_async_context(project)))
            stack.push_async_callback(_settle, entering)
            async for document in told:
                yield document
            converted = await entering
            if converted.target is not None:
                asked = [NETWORK_HOST] if options.network == "host" else []
                require_granted(converted.target, granted(asked, self._context.options.entitlements))
            report = calls.checked(
                text, options, sources.image_here, every_stage=False, images=project.images, reading=reading
            )
            if refusal := report.refusal():
                raise InvalidArgument(refusal)
            for document in classic.warnings(report.findings):
                yield document
            async with aclosing(self._image(project, converted, text, request)) as documents:
                async for document in documents:
                    yield document

    async def _received(
        self, sources: Sources, chunks: AsyncIterator[bytes], request: BuildRequest, folder: Path
    ) -> tuple[calls.Text, int | None]:
        """Make the folder of a request's context, and return its Dockerfile, and its time if it has one."""
        name = request.get("dockerfile") or ""
        if remote := request.get("remote"):
            dated = bool((request.get("buildargs") or {}).get(EPOCH))
            time_s = await sources.receive_remote(remote, folder, commit_times=dated)
            return await asyncio.to_thread(_opened, folder, name), time_s

        def work(source: Source) -> calls.Text:
            contexts.receive(source, folder, self._digests.learn)
            return _opened(folder, name)

        begun, whole = await _begun(chunks)
        if whole:  # so no thread has to wait for one part after the other
            return await self._blocking.run(lambda: work(io.BytesIO(begun))), None
        return await self._blocking.run_with(_rejoined(begun, chunks), work), None

    async def _image(
        self, project: Project, converted: Converted, text: calls.Text, request: BuildRequest
    ) -> AsyncGenerator[Document, None]:
        """Do what a graph says and make the image; yields what is told."""
        steps = classic.steps_of(project.dockerfile, converted.target, project.options.target)
        narrator = classic.Narrator(steps)
        events: _Told[Event] = _Told()
        solving = asyncio.create_task(events.until_end_of(self._solve(project, request, events.put)))
        try:
            async for event in events:
                for document in narrator.take(event):
                    yield document
            result = await solving
        except WharfError as error:
            yield classic.failure(error, text.source, text.name)
            return
        finally:
            await _settle(solving)
        for document in narrator.finish():
            yield document
        names = _names(request)
        image = await project.export(result, self._cache, names, self._made, squash=bool(request.get("squash")))
        for document in _ending(image, names):
            yield document

    async def _solve(self, project: Project, request: BuildRequest, tell: Callable[[Event], None]) -> Layers:
        workshop = self._workshop(StepRunner(self._context, limits_of(request)))
        with ExitStack() as held:
            imports = await inline_imports(self._context, request.get("cachefrom") or (), held)
            return await project.solve(workshop, NoOffers(), Progress(tell), imports)


def _when_quiet(document: Document) -> Document | None:
    """Return what is left of a document for who wants only the image's id, or why there is none."""
    aux = document.get("aux")
    if isinstance(aux, dict) and "ID" in aux:
        return {"stream": f"{aux['ID']}\n"}
    return document if "aux" in document or "errorDetail" in document else None


def _opened(folder: Path, name: str) -> calls.Text:
    """Return the Dockerfile of a context, which no longer has it if it ignores it."""
    source = contexts.read_dockerfile(folder, name).decode("utf-8", "surrogateescape")
    ignored = contexts.read_ignored(folder, name)
    contexts.drop_ignored(folder, name, ignored)
    return calls.Text(name or contexts.DEFAULT_DOCKERFILE, source, ignored)


def _names(request: BuildRequest) -> list[Reference]:
    names = []
    for text in request.get("t") or ():
        reference = parse_reference(text)
        names.append(tagged(reference.repository, reference.tag))
        if reference.digest:
            raise InvalidArgument("invalid reference format: refusing to create a tag with a digest reference")
    return names


def _ending(image: str, names: Sequence[Reference]) -> list[Document]:
    lines: list[Document] = [{"aux": {"ID": image}}, {"stream": f"Successfully built {image[7:19]}\n"}]
    return lines + [{"stream": f"Successfully tagged {name.familiar}\n"} for name in names]


class _Told(Generic[T]):
    """What some work says, in order, until it ends."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[T | None] = asyncio.Queue()

    def put(self, item: T) -> None:
        """Say one more thing."""
        self._queue.put_nowait(item)

    async def until_end_of(self, work: Coroutine[object, object, U]) -> U:
        """Do the work; nothing is told after it."""
        try:
            return await work
        finally:
            self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[T]:
        while (item := await self._queue.get()) is not None:
            yield item


async def _begun(chunks: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """Return the beginning of a stream, and whether that is all of it."""
    begun = bytearray()
    async for chunk in chunks:
        begun += chunk
        if len(begun) > _SMALL_BYTES:
            return bytes(begun), False
    return bytes(begun), True


async def _rejoined(begun: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield a stream whose beginning was read, in parts that are worth a thread's turn."""
    yield begun
    while True:
        part, whole = await _begun(rest)
        if part:
            yield part
        if whole:
            return


def _entered(stack: AsyncExitStack, context: Context) -> Path:
    """Give a build its folder, until the stack is closed; nobody waits for its end."""
    place = contexts.workplace(context.data)
    path = place.__enter__()  # one mkdir: a thread would cost more

    async def leave() -> None:
        await asyncio.to_thread(place.__exit__, None, None, None)

    stack.callback(lambda: context.background.finish(leave(), f"remove the folder of build {path.name}"))
    return path


async def _settle(task: asyncio.Task[object]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
