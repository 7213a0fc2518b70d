"""docker build, docker builder prune: what a request asks for, done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from wharf.build import context as contexts
from wharf.build.solver.cache import Cache
from wharf.engine.builds.collecting import Collection, collect, records_of
from wharf.engine.context import Context
from wharf.lib.filters import Filters
from wharf.spec.engine_api.build import BuildPruneResponse, BuildRequest, CacheRecord

if TYPE_CHECKING:
    from wharf.engine.builds.build import Builder

Document = dict[str, object]


class BuildVerbs:
    """The builds of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._cache = Cache(context.database, context.snapshots)
        self._builder: Builder | None = None

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
        if self._builder is None:
            # With the first build: an engine that builds nothing does not carry what builds need.
            from wharf.engine.builds.build import Builder  # noqa: PLC0415

            self._builder = Builder(self._context, self._cache)
        async with aclosing(self._builder.build(chunks, request)) as documents:
            async for document in documents:
                yield document
        await self.collect_old()

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
