"""The images of one engine: the front of this package. Blocking work goes to threads, a few at a time."""

from __future__ import annotations

import builtins
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, aclosing, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wharf.images import views
from wharf.images.bootstrap import follow, make_base, parse_base
from wharf.images.bridge import Blocking, Incoming
from wharf.images.catalog import Catalog
from wharf.images.check import Depth, Finding, ImageCheck
from wharf.images.committing import CommitRequest, commit_image
from wharf.images.deleting import Deleting, Uses, no_uses
from wharf.images.importing import ImportRequest, import_image, parse_import
from wharf.images.intake import Intake
from wharf.images.layers import Layers
from wharf.images.load import Loaded, load
from wharf.images.lookup import spelt, tagged
from wharf.images.manifests import Manifests, Shown
from wharf.images.platform import Platform, optional_platform, parse_platform
from wharf.images.record import ImageRecord
from wharf.images.recovery import Recovery
from wharf.images.registry.hosts import RegistryOptions
from wharf.images.save import Archive, choose
from wharf.images.store import Store
from wharf.images.stored import StoredImage
from wharf.kernel.process import Stop
from wharf.lib.digest import Digest
from wharf.lib.filters import Filters, require_known, truth
from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.engine_api.image import (
    ImageDeleteResponseItem,
    ImageHistoryResponseItem,
    ImageInspect,
    ImageSummary,
)
from wharf.storage.content import ContentStore
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.storage.unsettled import Settler

if TYPE_CHECKING:
    from wharf.images.registry.transport import Waiting
    from wharf.images.transfers import Transfers

Document = dict[str, object]


class Images:
    """The collection of images; one for each data root. Call :meth:`start` first."""

    def __init__(
        self,
        data: DataRoot,
        database: Database,
        content: ContentStore,
        snapshots: Snapshots,
        time_ns: Callable[[], int] = time.time_ns,
        *,
        registries: RegistryOptions | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self._data, self._content, self._snapshots = data, content, snapshots
        self._catalog = Catalog(database, content, snapshots)
        self._deleting = Deleting(self._catalog, self._now)
        self._time_ns, self._blocking = time_ns, Blocking()
        # With threads of its own: a slow registry holds nobody up.
        self._store = Store(self._catalog, content, snapshots, Blocking(), self._now)
        self.layers = Layers(self._store, database)
        """What builds keep, and make images of."""
        self._options, self._waiting = registries or RegistryOptions(), waiting
        self._transfers: Transfers | None = None
        self._settler: Settler | None = None

    @property
    def transfers(self) -> Transfers:
        """Pull, push, and what else registries are asked."""
        if self._transfers is None:
            # With the first question: an engine that asks no registry does not carry a client of theirs.
            from wharf.images.transfers import Transfers  # noqa: PLC0415

            self._transfers = Transfers(self._store, self._options, self._waiting)
        return self._transfers

    def reload(self, registries: RegistryOptions) -> None:
        """Treat registries otherwise from now on."""
        self._options = registries
        if self._transfers is not None:
            self._transfers.reload(registries)

    async def start(self) -> None:
        """Read what is stored, remove what a killed process left, and look at what may be lost; or read it again."""
        recovery = Recovery(self._catalog, self._content, self._snapshots, self._intake)
        now = self._now()
        await self._blocking.run(lambda: recovery.run(now))
        if self._settler is None:
            sync = partial(self._content.make_durable, self._snapshots.incoming)
            self._settler = Settler(self._snapshots.unsettled, sync)

    async def aclose(self) -> None:
        """Close the connections to registries, and bring to the disk what is not there yet; idempotent."""
        if self._transfers is not None:
            await self._transfers.aclose()
        if self._settler is not None:
            await self._blocking.run(self._settler.close)

    def _now(self) -> str:
        return rfc3339_nano(self._time_ns())

    def resolve(self, name: str, platform: str | None = None) -> ImageRecord:
        """Return the image of a reference, an id, the unambiguous start of one, or a digest.

        Args:
            name: what the user typed.
            platform: which of an image for several (``os/architecture[/variant]``); None: this machine's, if any.

        Raises:
            InvalidArgument: ``name`` or ``platform`` is malformed.
            NotFound: there is no such image, or not for that platform, in Docker's words.
        """
        return self._catalog.resolve(name, optional_platform(platform))

    def target(self, record: ImageRecord, name: str) -> Digest:
        """Return the digest of what a name of an image stands for: of its manifest, or of an index that lists it."""
        own = spelt(name)
        named = self._catalog.named_target(own) if own else None
        return named.target if named and named.image_id == record.id else record.manifest_digest

    def stored(self, record: ImageRecord) -> StoredImage:
        """Return an image as it is stored."""
        return StoredImage(self._content, record)

    def blob(self, digest: Digest) -> Path | None:
        """Return the file of a blob that is stored; None for one that is not."""
        return self._content.path(digest) if self._content.exists(digest) else None

    def siblings(self, image_id: str) -> builtins.list[str]:
        """Return the ids of the images for other platforms that share an index with this one."""
        record = self._catalog.get(image_id)
        return [one.id for one in self._catalog.siblings(record)] if record else []

    def hold(self, record: ImageRecord) -> AbstractContextManager[None]:
        """Keep an image's layers while within, though the image be removed: a container is being made on them."""
        return self.hold_layers(record.chain_id)

    def hold_layers(self, chain_id: str) -> AbstractContextManager[None]:
        """Keep layers while within, whatever else becomes of them."""
        return self._catalog.reach.hold([chain_id] if chain_id else [])

    async def release(self, *chain_ids: str) -> int:
        """Remove layers, with those below them, that nothing refers to any more; return the bytes freed."""
        if not any(chain_ids):
            return 0
        return await self._blocking.run(lambda: self._catalog.release(*filter(None, chain_ids)))

    def size_of(self, image_id: str) -> int:
        """Return the bytes of an image's layers; 0 for one that has gone."""
        record = self._catalog.get(image_id)
        return record.size_bytes if record else 0

    def named(self, name: str) -> builtins.list[Digest]:
        """Return the ids of the images that a name stands for: a repository alone means all its tags."""
        return [record.id for record, _ in self._catalog.named(name)]

    async def count(self) -> int:
        """Return how many images there are."""
        return len(self._catalog.all())

    async def list(
        self,
        *,
        all: bool = False,  # noqa: A002, ARG002  # the API's own word; there are no intermediate images
        filters: Filters | None = None,
        shared_size: bool = False,
        digests: bool = False,  # noqa: ARG002  # they are always there
        manifests: Shown | None = None,
    ) -> builtins.list[ImageSummary]:
        """Return the images that match, the newest first; with ``manifests`` what their names lead to.

        Raises:
            InvalidArgument: a filter is unknown or malformed.
            NotFound: ``before`` or ``since`` names no image.
        """
        chosen = self._select(filters or {})
        shared = views.shared_bytes(self._catalog.all(), self._snapshots.sizes()) if shared_size else {}
        found = [views.summary(record, shared_bytes=shared.get(record.id, -1)) for record in chosen]
        await self._add_manifests(found, chosen, manifests)
        return found

    async def _add_manifests(
        self,
        found: Sequence[ImageSummary | ImageInspect],
        records: Sequence[ImageRecord],
        shown: Shown | None,
    ) -> None:
        if shown is not None:
            manifests = Manifests(self._catalog, self._content, self._snapshots.sizes(), shown)
            await self._blocking.run(lambda: manifests.add_to(found, records))

    def _select(self, filters: Filters) -> builtins.list[ImageRecord]:
        selection = views.Selection(
            filters,
            before=[self.resolve(name) for name in filters.get("before", [])],
            since=[self.resolve(name) for name in filters.get("since", [])],
            now_ns=self._time_ns(),
        )
        shown = [record for record in self._catalog.all() if not record.held]
        newest_first = sorted(shown, key=views.created_ns, reverse=True)
        return [matched for record in newest_first if (matched := selection.match(record))]

    async def inspect(self, name: str, platform: str | None = None, manifests: Shown | None = None) -> ImageInspect:
        """Return everything about one image, with its manifests as :meth:`list` does; raises as :meth:`resolve`."""
        record = self.resolve(name, platform)
        parent = self._catalog.get(record.config.get("parent") or "")
        folders, driver = self._snapshots.lower_dirs(record.chain_id), self._snapshots.roots.name
        found = views.inspection(record, folders, parent, driver, self._catalog.origins.of(record.id))
        await self._add_manifests([found], [record], manifests)
        return found

    async def history(self, name: str, platform: str | None = None) -> builtins.list[ImageHistoryResponseItem]:
        """Return how an image was made, the last step first; raises as :meth:`resolve`."""
        return views.history(self.resolve(name, platform), self._snapshots.sizes())

    async def tag(self, name: str, *, repository: str, tag: str | None) -> None:
        """Give an image one more reference, which another image loses when it has it.

        Raises:
            InvalidArgument: the reference is malformed.
            NotFound: there is no image ``name``.
        """
        reference = tagged(repository, tag)
        record = self.resolve(name)
        like = next((own for own in record.references if own == spelt(name)), None)
        await self._blocking.run(lambda: self._catalog.name(record.id, reference, self._now(), like))

    async def remove(
        self,
        name: str,
        *,
        force: bool = False,
        noprune: bool = False,  # noqa: ARG002  # there are no parents
        platforms: Iterable[str] = (),
        in_use: Uses = no_uses,
    ) -> builtins.list[ImageDeleteResponseItem]:
        """Untag an image, and delete it when nothing refers to it any more, or only its ones for ``platforms``.

        Raises as :class:`Deleting` does.
        """
        chosen = [parse_platform(platform) for platform in platforms]
        work = partial(self._deleting.remove, name, in_use, force=force, platforms=chosen)
        return (await self._blocking.run(work))[0]

    async def prune(self, filters: Filters, in_use: Uses = no_uses) -> Document:
        """Remove images that no container uses: those without a reference, or all with ``dangling=false``.

        Of images that containers use those names go, with ``dangling=false``, that none of them was created with.

        Raises:
            InvalidArgument: a filter is unknown or malformed.
        """
        require_known(filters, views.PRUNE_FILTERS)
        dangling = truth(filters, "dangling") is not False
        chosen = self._select({k: v for k, v in filters.items() if k != "dangling"})
        gone = [record.id for record in chosen if record.dangling or not dangling]
        deleted, freed = await self._blocking.run(lambda: self._deleting.prune(gone, in_use))
        freed += await self._blocking.run(lambda: self._deleting.forget_unfinished(self._store.under_way))
        return {"ImagesDeleted": deleted or None, "SpaceReclaimed": freed}

    async def load(
        self, chunks: AsyncIterator[bytes], *, quiet: bool = True, platforms: Iterable[str] = ()
    ) -> AsyncGenerator[Document, None]:
        """Read an archive of docker save or an OCI image layout; yields what was loaded. All of it or nothing.

        Args:
            chunks: the archive.
            quiet: no bars of progress: there are none in either case.
            platforms: only the images for these; none: all.

        Raises:
            InvalidArgument: the archive is corrupt, or an image in it is.
        """
        del quiet
        for item in await self._blocking.run_with(
            chunks, partial(self._load, builtins.list(map(parse_platform, platforms)))
        ):
            for reference in item.references:
                yield {"stream": f"Loaded image: {reference.familiar}\n"}
            if not item.references:
                yield {"stream": f"Loaded image ID: {item.record.id}\n"}

    def _load(self, platforms: Sequence[Platform], source: Incoming) -> builtins.list[Loaded]:
        with self._intake() as intake:
            return load(source, intake, self._now, platforms)

    def _intake(self) -> Intake:
        return Intake(self._catalog, self._content, self._snapshots, self._store.workers)

    async def save(self, names: Iterable[str], platforms: Iterable[str] = ()) -> AsyncGenerator[bytes, None]:
        """Yield the archive of the named images, of several only those for ``platforms``, when any are given.

        Raises as :meth:`resolve`, before the first bytes.
        """
        chosen = choose(self._catalog, builtins.list(names), builtins.list(map(parse_platform, platforms)))
        with closing(Archive(self._content, chosen)) as archive:
            async with aclosing(self._blocking.iterate(iter(archive))) as pieces:
                async for data in pieces:
                    yield data

    async def import_(
        self,
        chunks: AsyncIterator[bytes],
        *,
        repository: str | None = None,
        tag: str | None = None,
        message: str | None = None,
        changes: Iterable[str] = (),
        platform: str | None = None,
    ) -> AsyncGenerator[Document, None]:
        """Make an image of one layer from a tar archive; yields its id.

        Args:
            chunks: the archive, compressed in any usual way, or not.
            repository: what to call it; None leaves it dangling.
            tag: its tag; "latest" by default.
            message: the comment in its history.
            changes: Dockerfile instructions that set its configuration.
            platform: ``os/architecture[/variant]``; this machine's by default.

        Raises:
            InvalidArgument: the archive or an argument is malformed.
        """
        request = parse_import(
            reference=tagged(repository, tag) if repository else None,
            message=message,
            changes=changes,
            platform=platform,
        )
        record = await self._blocking.run_with(chunks, lambda source: self._import(source, request))
        yield {"status": record.id}

    def _import(self, source: Incoming, request: ImportRequest) -> ImageRecord:
        with self._intake() as intake:
            return import_image(source, intake, request, self._now())

    async def check(self, depth: Depth) -> AsyncGenerator[Finding, None]:
        """Yield what is wrong with what is stored, as it is found (see :mod:`wharf.images.check`)."""
        check = ImageCheck(self._catalog, self._content, self._snapshots, self._intake, depth)
        async with aclosing(self._blocking.iterate(check.run())) as findings:
            async for finding in findings:
                yield finding

    async def commit(self, request: CommitRequest) -> ImageRecord:
        """Make an image of what a container changed; the container is paused or stopped meanwhile.

        Raises:
            OSError: a file of the container's could not be read, or the disk is full.
            DataLoss: layers of its image are missing.
        """
        return await self._blocking.run(lambda: self._commit(request))

    def _commit(self, request: CommitRequest) -> ImageRecord:
        with self._intake() as intake:
            return commit_image(intake, request, self._now())

    async def bootstrap(
        self, name: str, *, include: Iterable[str] = (), reference: str | None = None
    ) -> AsyncGenerator[Document, None]:
        """Make a base image without a registry: ``busybox`` or ``debian:SUITE``; yields progress, at last its id.

        Args:
            name: which.
            include: Debian packages besides.
            reference: what to call it; ``name`` by default.

        Raises:
            InvalidArgument: there is no such base, or no such package.
            NotFound: what it is made of is not on this machine.
            Unavailable: packages could not be fetched or installed.
        """
        base = parse_base(name, builtins.list(include), reference)
        folder = self._data.ingest / f"bootstrap-{secrets.token_hex(8)}"
        stop = Stop(grace_s=0)
        make = partial(make_base, base, self._intake, folder, self._now(), stop)
        work = self._blocking.run(make, stop.ask)
        async with aclosing(follow(base, folder, work)) as documents:
            async for document in documents:
                yield document
