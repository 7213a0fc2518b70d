"""The folders of a build's client, each brought once; contexts are given back at the end, for the next build."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from wharf.build import context as contexts
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.selection import Digests
from wharf.build.session.filesync import METHOD, Received, Wanted, receive
from wharf.build.session.kept import KeptContexts
from wharf.build.session.lent import NothingLent
from wharf.build.session.sessions import Session
from wharf.build.solver.progress import Progress
from wharf.engine.streams import on_thread
from wharf.errors import InvalidArgument

_INTERVAL_NS: Final = 100_000_000  # between two words about a transfer


class ClientFolders:
    """Those of one job."""

    def __init__(
        self,
        session: Callable[[], Awaitable[Session]],
        work: Path,
        kept: KeptContexts,
        digests: Digests,
        progress: Progress,
    ) -> None:
        self._session = session
        self._work = work
        self._kept = kept
        self._digests = digests
        self._progress = progress
        self._tasks: dict[str, asyncio.Task[Path]] = {}
        self._replaced: dict[str, Path] = {}
        self._complete: dict[str, Path] = {}  # folders to be kept, by key
        self._follow: dict[str, Sequence[str] | None] = {}
        self._excluded: dict[str, Sequence[str]] = {}

    def narrow(self, needed: Mapping[str, Sequence[str] | None]) -> None:
        """Bring only these paths of folders, and those that were named before; None: all of them."""
        for name, paths in needed.items():
            before = self._follow.get(name, ())
            self._follow[name] = None if paths is None or before is None else sorted({*before, *paths})

    def leave_out(self, name: str, patterns: Sequence[str]) -> None:
        """Bring nothing of a folder that matches these patterns, where its source says nothing else."""
        self._excluded[name] = patterns

    def replace(self, name: str, path: Path) -> None:
        """Take a folder that is here already for the client's of that name."""
        self._replaced[name] = path

    async def folder(self, vertex: Vertex, source: Source) -> Path:
        """Return a folder that a source names, brought as its attributes say (BuildKit, solver/pb/attr.go).

        Raises:
            InvalidArgument: the client sends what cannot be.
            CallFailed: it refuses.
        """
        name = source.rest
        if name in self._replaced:
            return self._replaced[name]
        follow = _list(source, "local.followpaths") or self._follow.get(name)
        exclude = _list(source, "local.excludepatterns") or self._excluded.get(name, ())
        wanted = Wanted(name, _list(source, "local.includepattern"), exclude, follow)
        hint = source.attribute("local.sharedkeyhint") or name
        return await self._once(wanted, hint, vertex)

    async def read(self, folder: str, paths: Sequence[str], about: str) -> Mapping[str, bytes]:
        """Return small files of a folder, those that are there."""
        if folder in self._replaced:
            return await asyncio.to_thread(_read, self._replaced[folder], paths)
        vertex = loading(folder, about)
        self._progress.began(vertex)
        try:
            path = self._work / secrets.token_hex(4)
            await self._receive(Wanted(folder, follow=list(paths)), path, vertex, "")
            found = await asyncio.to_thread(_read, path, paths)
        except Exception as error:
            self._progress.ended(vertex, error=str(error))
            raise
        self._progress.ended(vertex)
        return found

    async def give_back(self) -> None:
        """Keep what came as a whole; nothing uses it any more."""
        for key, path in self._complete.items():
            await asyncio.to_thread(self._kept.give, key, path)
        self._complete.clear()

    async def aclose(self) -> None:
        """Give up what is under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _once(self, wanted: Wanted, hint: str, vertex: Vertex) -> Path:
        name = repr((wanted, hint))
        if name not in self._tasks:
            self._tasks[name] = asyncio.get_running_loop().create_task(self._bring(wanted, hint, vertex))
        return await asyncio.shield(self._tasks[name])

    async def _bring(self, wanted: Wanted, hint: str, vertex: Vertex) -> Path:
        session = await self._session()
        path = self._work / secrets.token_hex(4)
        key = f"{wanted.name}:{hint}:{session.greeting.shared_key}"
        if shared := bool(session.greeting.shared_key):
            await asyncio.to_thread(self._kept.take, key, path)
        await self._receive(wanted, path, vertex, f"transferring {wanted.name}:")
        if shared:
            self._complete[key] = path
        return path

    async def _receive(self, wanted: Wanted, path: Path, vertex: Vertex, what: str) -> None:
        session = await self._session()
        session.require(METHOD)
        began = told = self._progress.time_ns()
        count = 0

        def received(so_far: int) -> None:
            nonlocal count, told
            count = so_far
            now = self._progress.time_ns()
            if now - told >= _INTERVAL_NS:
                told = now
                self._progress.moved(vertex, what, so_far, began)

        what = what or f"transferring {wanted.name}:"
        if not await self._lent(session, wanted, path, received):
            await receive(session.channel, wanted, path, digests=self._digests, received=received)
        self._progress.moved(vertex, what, count, began, done=True)

    async def _lent(self, session: Session, wanted: Wanted, path: Path, received: Received) -> bool:
        """Bring a folder by descriptors of its files; False where the client cannot lend them."""
        lender, loop = session.lender, asyncio.get_running_loop()
        if lender is None:
            return False

        def told(so_far: int) -> None:
            loop.call_soon_threadsafe(received, so_far)

        try:
            await on_thread(lambda: lender.receive(wanted, path, self._digests, told), "wharf-lent", lender.abandon)
        except NothingLent:
            session.lender = None  # it would be the same with the next folder
            await asyncio.to_thread(lender.close)
            return False
        return True


def loading(folder: str, about: str) -> Vertex:
    """Return the step that people see when small files of a folder are read."""
    return Vertex(Source(f"local://{folder}"), (), about, Description(f"[internal] {about}"))


def _list(source: Source, name: str) -> list[str]:
    text = source.attribute(name)
    try:
        return msgspec.json.decode(text, type=list[str]) if text else []
    except msgspec.MsgspecError:
        raise InvalidArgument(f"invalid {name}: {text[:200]}") from None


def _read(folder: Path, paths: Sequence[str]) -> dict[str, bytes]:
    found = {}
    for path in paths:
        data = contexts.read_file(folder, path)
        if data is not None:
            found[path] = data
    return found
