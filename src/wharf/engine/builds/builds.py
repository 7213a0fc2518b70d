"""docker build, docker builder prune: what a request asks for, done."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from wharf.build import context as contexts
from wharf.build.solver.cache import Cache
from wharf.engine.builds.collecting import Collection, collect, records_of, remove, staying_bytes
from wharf.engine.builds.rules import due, going
from wharf.engine.context import Context
from wharf.lib.filters import Filters
from wharf.rpc.link import Link
from wharf.spec.engine_api.build import BuildPruneResponse, BuildRequest, CacheRecord

if TYPE_CHECKING:
    from wharf.build.session.sessions import Connect
    from wharf.engine.buildkit.buildkit import BuildKit
    from wharf.engine.builds.build import Builder

Document = dict[str, object]
_LOOK_AGAIN_NS: Final = 3600 * 1_000_000_000


class BuildVerbs:
    """The builds of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._cache = Cache(context.database, context.snapshots)
        self._looked_at = (-1, 0)  # how often results had changed, and when that was
        self._builder: Builder | None = None
        self._connected: BuildKit | None = None
        self._connecting = asyncio.Lock()

    async def start(self) -> None:
        """Remove what killed builds left."""
        await asyncio.to_thread(contexts.sweep, self._context.data)

    async def build(self, chunks: AsyncIterator[bytes], request: BuildRequest) -> AsyncIterator[Document]:
        """Build an image from a context's archive; yields what Docker's old builder writes.

        Args:
            chunks: the archive, compressed in any usual way, or not; ignored with ``remote``.
            request: what is asked for.

        Raises:
            InvalidArgument: the request, the archive or the Dockerfile is malformed.
            NotFound: an image that it starts from does not exist.
        """
        self._context.measures.count("builds")
        if self._builder is None:
            # With the first build: an engine that builds nothing does not carry what builds need.
            from wharf.engine.builds.build import Builder  # noqa: PLC0415

            self._builder = Builder(self._context, self._cache)
        async with aclosing(self._builder.build(chunks, request)) as documents:
            async for document in documents:
                yield document
        self.collect_old()

    async def _buildkit(self) -> BuildKit:
        async with self._connecting:
            if self._connected is None:
                from wharf.engine.buildkit.buildkit import BuildKit  # noqa: PLC0415  # as with the builder

                self._connected = await BuildKit.opened(self._context, self._cache)
            return self._connected

    async def build_over_session(
        self, request: BuildRequest, session: str, ref: str, chunks: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[Document]:
        """Build an image of what a session brings; yields what BuildKit's clients without buildx read.

        Args:
            request: what is asked for.
            session: the id of the client's session; "" for none.
            ref: how the client calls the build; "" for a name of ours.
            chunks: the archive of the context, where the client sends that with its request.
        """
        self._context.measures.count("builds")
        buildkit = await self._buildkit()
        async with aclosing(buildkit.build(request, session, ref, chunks)) as documents:
            async for document in documents:
                yield document
        self.collect_old()

    async def serve(self, link: Link) -> None:
        """Answer BuildKit's calls on a connection until it ends; its builds end then too (BuildKit, Control)."""
        await (await self._buildkit()).serve(link)
        self.collect_old()

    async def hold_session(
        self, link: Link, session_id: str, *, shared_key: str = "", methods: Iterable[str] = ()
    ) -> None:
        """Keep the session of a client, which lends what its builds need, until it ends (BuildKit, session).

        Raises:
            InvalidArgument: it has no id.
            Conflict: there is one of this id.
        """
        from wharf.build.session.sessions import Greeting, methods_of  # noqa: PLC0415  # likewise

        buildkit = await self._buildkit()
        await buildkit.hold(link, Greeting(session_id, shared_key, methods_of(methods)))

    async def lend_folders(self, session_id: str, connect: Connect) -> None:
        """Let the client of a session lend its folders by descriptors (:mod:`wharf.build.session.lent`).

        Args:
            session_id: the session.
            connect: gives the connection for that, once it is known that it is wanted.

        Raises:
            NotFound: there is no such session.
            Conflict: it lends already.
        """
        await (await self._buildkit()).sessions.lend(session_id, connect)

    async def prune(
        self,
        filters: Filters,
        *,
        everything: bool = True,
        kept_bytes: int = 0,
        most_bytes: int = 0,
        free_bytes: int = 0,
    ) -> BuildPruneResponse:
        """Remove results that no build holds.

        Args:
            filters: which; all of them unless told otherwise.
            everything: as Docker's; all results here are of one kind, so it changes nothing.
            kept_bytes: keep so many bytes of the newest ones.
            most_bytes: likewise.
            free_bytes: keep no more than lets so much of the disk be free.

        Raises:
            InvalidArgument: a filter is unknown or malformed.
        """
        del everything
        if free_bytes:
            used = sum(record.size_bytes for record in await asyncio.to_thread(self._cache.records))
            free = shutil.disk_usage(self._context.data.path).free
            most_bytes = staying_bytes(used, free, free_bytes, most_bytes)
        return await collect(self._context, self._cache, filters, Collection(kept_bytes, most_bytes))

    def collect_old(self) -> None:
        """Remove what was not used for long, and what is too much; nobody waits for it.

        Builds that enter nothing make nothing too much: after them it is looked at once an hour.
        """
        changes, now_ns = self._cache.changes, time.time_ns()
        if changes != self._looked_at[0] or now_ns - self._looked_at[1] > _LOOK_AGAIN_NS:
            self._looked_at = changes, now_ns
            self._context.background.start(self._collect_old(now_ns), "collect results of builds")

    async def _collect_old(self, now_ns: int) -> None:
        rules = self._context.options.build_rules
        if not rules or not due(await asyncio.to_thread(self._cache.extent), rules, now_ns):
            return
        free = shutil.disk_usage(self._context.data.path).free
        records = await asyncio.to_thread(self._cache.records)
        if chosen := going(records, rules, free, now_ns):
            await remove(self._context, self._cache, chosen)

    async def usage(self) -> list[CacheRecord]:
        """Return the results that are kept."""
        return await asyncio.to_thread(records_of, self._cache)
