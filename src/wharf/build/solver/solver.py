"""Work through a graph.

::

    key of a vertex ◀── keys of its inputs, contents of what it takes from folders
        │ known: done, and its inputs are never looked at
        ▼
    results of its inputs ──▶ key by content alone, known: done
        ▼
    do it, keep the layers under both keys

What depends on a step that must be done anew is looked for by content alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

from wharf.build.caches.config import Kept
from wharf.build.caches.importing import Found, Imports
from wharf.build.graph.operations import Build, Diff, Exec, File, Merge, Source
from wharf.build.graph.vertex import Description, Edge, Vertex, walk
from wharf.build.operations import file, merge
from wharf.build.operations.exec import Commands, Wreck
from wharf.build.operations.mounting import Offers
from wharf.build.operations.results import Folder, Layers, Result
from wharf.build.operations.selection import Digests
from wharf.build.operations.store import Recorder, Store
from wharf.build.solver.cache import Cache
from wharf.build.solver.errors import StepFailed
from wharf.build.solver.keys import content_of, key_of, name_of_whole, outputs_of
from wharf.build.solver.progress import Progress
from wharf.errors import NotImplementedHere, WharfError

T = TypeVar("T")
Outputs = dict[int, Result]

Fetch = Callable[[Vertex, Source], Awaitable[Result]]
"""Brings what a source names."""

Nested = Callable[[Result, str], Awaitable[Result]]
"""Does the graph that a file of a result holds."""

_OUTSIDE = (Source, Build)
"""Operations whose results no key foretells: they are asked for each time."""


async def _no_graphs(held: Result, path: str) -> Result:
    del held
    raise NotImplementedHere(f"{path}: graphs in files are not supported here")


@dataclass(frozen=True, slots=True)
class Workshop:
    """What solvers share."""

    store: Store
    cache: Cache
    commands: Commands
    digests: Digests
    wrecked: Callable[[str, Wreck, AsyncExitStack], None] | None = None
    """Takes what a failed command leaves: the vertex's digest, what, and what removes it."""


class Solver:
    """Solves the graphs of one build; what two of them share is done once."""

    def __init__(
        self,
        workshop: Workshop,
        fetch: Fetch,
        offers: Offers,
        progress: Progress,
        imports: Imports | None = None,
        *,
        nested: Nested = _no_graphs,
    ) -> None:
        """Begin with nothing solved.

        Args:
            workshop: what solvers share.
            fetch: brings sources.
            offers: what the build's client lends.
            progress: is told what is done.
            imports: results that other engines have.
            nested: does graphs that are held by files.
        """
        self._shop = workshop
        self._imports = imports
        self._fetch = fetch
        self._nested = nested
        self._offers = offers
        self._progress = progress
        self._solved: dict[str, asyncio.Task[Outputs]] = {}
        self._keys: dict[str, asyncio.Task[str]] = {}
        self._anew: dict[str, bool] = {}  # whether something that a vertex needs, or itself, must be done anew
        self._held: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is under way and let go of all layers."""
        tasks: list[asyncio.Task[Any]] = [*self._solved.values(), *self._keys.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._shop.cache.release(self._held)

    async def solve(self, edge: Edge) -> Result:
        """Return what comes out of ``edge``.

        Raises:
            StepFailed: a vertex could not be done; says which and why.
        """
        self._look_for_anew(edge)
        return (await self._once(self._solved, edge.vertex.digest, lambda: self._vertex(edge.vertex)))[edge.index]

    def _look_for_anew(self, edge: Edge) -> None:
        if edge.vertex.digest in self._anew:
            return
        for vertex in walk(edge):
            below = any(self._anew[one.vertex.digest] for one in vertex.inputs)
            self._anew[vertex.digest] = below or vertex.description.ignore_cache

    async def key(self, edge: Edge) -> str:
        """Return what stands for all that ``edge`` is made of: the operations, and what they take from outside."""
        return f"{await self._key(edge.vertex)}#{edge.index}"

    async def _once(
        self, known: dict[str, asyncio.Task[T]], name: str, work: Callable[[], Coroutine[object, object, T]]
    ) -> T:
        task = known.get(name)
        if task is None:
            task = known[name] = asyncio.get_running_loop().create_task(work(), name=f"build {name[:19]}")
        return await asyncio.shield(task)

    async def _all(self, work: Sequence[Coroutine[object, object, T]]) -> list[T]:
        """Wait for all at once; the first failure is the failure."""
        if len(work) == 1:  # without a task more
            return [await work[0]]
        return list(await asyncio.gather(*work))

    async def _vertex(self, vertex: Vertex) -> Outputs:
        match vertex.operation:
            case Source() as source:
                return {0: await self._bring(vertex, self._fetch(vertex, source))}
            case Build(path=path):
                held = await self.solve(vertex.inputs[0])
                return {0: await self._bring(vertex, self._nested(held, path))}
        key = await self._key(vertex)
        found = None if self._anew[vertex.digest] else await self._find(vertex, [key])
        if found is not None:
            return found
        inputs = await self._all([self.solve(edge) for edge in vertex.inputs])
        try:
            return await self._do(vertex, key, inputs)
        except StepFailed:
            raise
        except asyncio.CancelledError:
            self._progress.ended(vertex, error="context canceled")
            raise
        except Exception as error:
            self._progress.ended(vertex, error=str(error))
            raise StepFailed(vertex, error) from error

    async def _bring(self, vertex: Vertex, work: Awaitable[Result]) -> Result:
        self._progress.began(vertex)
        try:
            result = await work
        except asyncio.CancelledError:
            self._progress.ended(vertex, error="context canceled")
            raise
        except StepFailed as error:  # of the graph in it
            self._progress.ended(vertex, error=str(error.reason))
            raise
        except Exception as error:
            self._progress.ended(vertex, error=str(error))
            raise StepFailed(vertex, error) from error
        if isinstance(result, Layers):
            self._hold(result.chain_id)
        self._progress.ended(vertex, cached=isinstance(result, Layers), result=_name(result))
        return result

    async def _key(self, vertex: Vertex) -> str:
        return await self._once(self._keys, vertex.digest, lambda: self._make_key(vertex))

    async def _make_key(self, vertex: Vertex) -> str:
        pairs = await self._all([self._input_key(vertex, i, edge) for i, edge in enumerate(vertex.inputs)])
        return key_of(vertex, [name for name, _ in pairs], [one for _, contents in pairs for one in contents])

    async def _input_key(self, vertex: Vertex, index: int, edge: Edge) -> tuple[str, list[str]]:
        """Return the name of an input, and digests of what is taken from it if it is a folder."""
        if not isinstance(edge.vertex.operation, _OUTSIDE):
            return f"{await self._key(edge.vertex)}#{edge.index}", []
        result = await self.solve(edge)
        if isinstance(result, Layers):
            return result.chain_id, []
        return "folder", await self._content(vertex, index, result)

    async def _content(self, vertex: Vertex, index: int, result: Result) -> list[str]:
        shop = self._shop
        if (name := name_of_whole(vertex, index, result)) is not None:
            return [name]
        try:
            return await asyncio.to_thread(content_of, shop.store, vertex, index, result, shop.digests)
        except Exception as error:
            self._progress.began(vertex)
            said = f"failed to compute cache key: {error}"
            self._progress.ended(vertex, error=said)
            raise StepFailed(vertex, type(error)(said)) from error

    async def _do(self, vertex: Vertex, key: str, inputs: Sequence[Result]) -> Outputs:
        by_content = await self._key_by_content(vertex, inputs)
        if vertex.description.ignore_cache:
            return await self._make(vertex, [key, by_content], inputs)
        async with self._shop.cache.turns.of(by_content):
            found = await self._find(vertex, [by_content])
            if found is not None:
                self._remember(vertex, key, found)
                return found
            return await self._make(vertex, [key, by_content], inputs)

    async def _key_by_content(self, vertex: Vertex, inputs: Sequence[Result]) -> str:
        contents = [await self._content(vertex, index, one) for index, one in enumerate(inputs)]
        return key_of(vertex, ["content"], [one for found in contents for one in ("", *found)])

    async def _make(self, vertex: Vertex, keys: Sequence[str], inputs: Sequence[Result]) -> Outputs:
        self._progress.began(vertex)
        records = {index: self._recorder(vertex, keys, index) for index in outputs_of(vertex)}
        outputs = await self._perform(vertex, inputs, records)
        for result in outputs.values():
            self._hold(result.chain_id)
        self._progress.ended(vertex, result=_name(outputs.get(0, Layers())))
        return dict(outputs)

    async def _perform(
        self, vertex: Vertex, inputs: Sequence[Result], records: dict[int, Recorder]
    ) -> dict[int, Layers]:
        store = self._shop.store
        match vertex.operation:
            case Exec() as command:
                return await self._shop.commands.run(
                    command,
                    inputs,
                    records,
                    offers=self._offers,
                    output=lambda stream, data: self._progress.wrote(vertex, stream, data),
                    environment=vertex.description.environment,
                    wrecked=partial(self._shop.wrecked, vertex.digest) if self._shop.wrecked else None,
                )
            case File() as change:
                return {0: await asyncio.to_thread(file.run, store, change, inputs, records[0], self._shop.digests)}
            case Merge():
                return {0: await asyncio.to_thread(merge.merge, store, inputs, records[0])}
            case Diff() as difference:
                return {0: await asyncio.to_thread(merge.diff, store, difference, inputs, records[0])}
        raise AssertionError(vertex.operation)

    async def _find(self, vertex: Vertex, keys: Sequence[str]) -> Outputs | None:
        found: Outputs = {}
        for index in outputs_of(vertex):
            chain_ids = [self._shop.cache.find(f"{key}#{index}") for key in keys]
            chain_id = next((one for one in chain_ids if one is not None), None)
            if chain_id is None:
                chain_id = await self._import(vertex, keys, index)
            if chain_id is None:
                return None
            self._hold(chain_id)
            found[index] = Layers(chain_id)
        self._progress.ended(vertex, cached=True, result=_name(found.get(0, Layers())))
        return found

    async def _import(self, vertex: Vertex, keys: Sequence[str], index: int) -> str | None:
        """Take a result over from elsewhere; None when nobody has it. A cache that fails is told of, and a miss."""
        found = self._imports.find(f"{key}#{index}" for key in keys) if self._imports else None
        if found is None or self._imports is None:
            return None
        self._hold(found.chain_id)  # from before it is recorded: nobody may collect it in between
        with self._progress.telling(_importing(found)) as told:
            try:
                record = self._shop.cache.dated(self._recorder(vertex, keys, index), found.times)
                await self._imports.bring(found, record)
            except WharfError as error:
                self._imports.spoil(found)
                told.error = str(error)
                return None
        return found.chain_id

    async def kept(self, target: Edge) -> list[Kept]:
        """Return what is kept of all that ``target`` needs, done now or long ago: it has been solved."""
        known: dict[str, Outputs] = {}
        found: list[Kept] = []
        for vertex in walk(target):
            if isinstance(vertex.operation, _OUTSIDE):
                if (task := self._solved.get(vertex.digest)) is not None:
                    known[vertex.digest] = await asyncio.shield(task)
                continue
            found += await self._kept_of(vertex, known)
        return found

    async def _kept_of(self, vertex: Vertex, known: dict[str, Outputs]) -> list[Kept]:
        cache, keys = self._shop.cache, [await self._key(vertex)]
        chain_ids = {index: cache.peek(f"{keys[0]}#{index}") for index in outputs_of(vertex)}
        outputs: Outputs = {index: Layers(one) for index, one in chain_ids.items() if one is not None}
        if len(outputs) < len(chain_ids):
            return []
        for result in outputs.values():
            self._hold(_name(result))
        known[vertex.digest] = outputs
        inputs = [known[one.vertex.digest][one.index] for one in vertex.inputs if one.vertex.digest in known]
        if len(inputs) == len(vertex.inputs):
            keys.append(await self._key_by_content(vertex, inputs))
        return [
            Kept(tuple(f"{key}#{index}" for key in keys), _name(result), cache.created_ns(_name(result)) or 0)
            for index, result in outputs.items()
        ]

    def _remember(self, vertex: Vertex, key: str, outputs: Outputs) -> None:
        for index, result in outputs.items():
            assert not isinstance(result, Folder)
            self._shop.cache.alias(f"{key}#{index}", result.chain_id, vertex.description.name)

    def _recorder(self, vertex: Vertex, keys: Sequence[str], index: int) -> Recorder:
        return self._shop.cache.recorder([f"{key}#{index}" for key in keys], vertex.description.name)

    def _hold(self, chain_id: str) -> None:
        self._shop.cache.hold(chain_id)
        self._held.append(chain_id)


def _importing(found: Found) -> Vertex:
    about = f"importing cache layers from {found.place.name}"
    return Vertex(Source(f"cache://{found.place.name}"), (), found.chain_id, Description(about))


def _name(result: Result) -> str:
    return result.chain_id if isinstance(result, Layers) else ""
