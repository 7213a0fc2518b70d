"""docker pull: an image from a registry into the store.

::

    name ─▶ manifest or index (asked for anew, fetched only when it is not stored) ─▶ recorded as begun
         ─▶ configuration ─▶ layers, a few at a time: download ═ digest ═ decompress ═ unpack, in one pass
         ─▶ one transaction: the image has its names, nothing is unfinished any more

What is there already is not fetched: layers by their chain id, blobs by their digest, the beginning of a download
that broke off. A process that is killed loses nothing that it has got; see :mod:`wharf.images.reach`.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass

from wharf.errors import DataLoss, InvalidArgument, NotFound, Unauthorized, Unavailable, WharfError
from wharf.images.catalog import blobs_of
from wharf.images.index import attestations_of, choose_image, is_index, parse_index
from wharf.images.intake import Intake, Layer
from wharf.images.media_types import refuse_schema_1, require_image
from wharf.images.platform import Platform, host
from wharf.images.progress import Progress, counted
from wharf.images.record import ImageRecord, decode_object, diff_ids_of, parse_config, parse_manifest
from wharf.images.registry.repository import Manifest, Repository
from wharf.images.registry.sources import Sources
from wharf.images.store import Store
from wharf.lib.digest import Digest, chain_ids, is_digest, short
from wharf.lib.reference import Reference
from wharf.spec.oci_image import Descriptor, Index
from wharf.spec.oci_image import Manifest as ImageManifest


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for at a registry: an image, and the index that lists it."""

    repository: Repository
    manifest: Manifest
    index: Manifest | None

    @property
    def target(self) -> Digest:
        """What the name names."""
        return (self.index or self.manifest).digest


class Pull:
    """One pull of one reference."""

    def __init__(
        self,
        store: Store,
        progress: Progress,
        reference: Reference,
        platform: Platform | None,
        *,
        downloads: int = 3,
    ) -> None:
        """Do nothing yet; ``downloads`` is how many there are at a time."""
        self._downloads = downloads
        self._store = store
        self._progress = progress
        self._reference = reference
        self._platform = platform

    async def run(self, sources: Sources) -> ImageRecord:
        """Bring the image in; say in the end whether it is new.

        Raises:
            NotFound: no registry of ``sources`` has it, or not for the platform.
            WharfError: why it could not be had.
        """
        try:
            found = await sources.first(self._reference, self._find)
        except Unavailable as error:
            if (stored := await asyncio.to_thread(self._stored)) is None:
                raise
            return self._make_do(stored, error)
        name = self._reference.tag or self._reference.digest or ""
        self._progress.tell({"status": f"Pulling from {self._reference.path}", "id": name})
        async with self._store.locks.of(found.manifest.digest):
            known = await asyncio.to_thread(self._whole, found.manifest.digest)
            led_to = self._store.catalog.named_target(self._reference)
            if known is not None and self._is_settled(found):
                record = known
                names, now = self._names(found), self._store.now()
                await self._store.blocking.run(lambda: self._store.catalog.touch(names, now))
            else:
                self._store.under_way.add(found.target)
                try:
                    record = await self._bring_or_again(found, known)
                finally:
                    self._store.under_way.discard(found.target)
        now, origins, repository = self._store.now(), self._store.catalog.origins, self._reference.repository
        await self._store.blocking.run(lambda: origins.at_registry(record.id, repository, now))
        self._progress.tell({"status": f"Digest: {found.target}"})
        # As with Docker an image is news also where another name had led to it.
        old = known is not None and led_to is not None and led_to.manifest_digest == found.manifest.digest
        news = "Image is up to date" if old else "Downloaded newer image"
        self._progress.tell({"status": f"Status: {news} for {self._reference.familiar}"})
        return record

    def _stored(self) -> ImageRecord | None:
        """Return the image that the reference has here, if all of it is here and it suits the platform."""
        if self._store.catalog.named_target(self._reference) is None:
            return None
        try:
            record = self._store.catalog.resolve(str(self._reference), self._platform)
        except NotFound:  # not for that platform
            return None
        return self._whole(record.manifest_digest)

    def _make_do(self, stored: ImageRecord, error: Unavailable) -> ImageRecord:
        """Say that the registry cannot be asked, or has had enough of us, and that what is here has to do."""
        self._progress.tell({"status": f"Registry is unavailable: {error}"})
        self._progress.tell({"status": f"Status: Using the stored copy of {self._reference.familiar}"})
        return stored

    def _whole(self, manifest: Digest) -> ImageRecord | None:
        """Return the stored image of a manifest, unless some of it is missing: that is fetched again."""
        record = self._store.catalog.of_manifest(manifest)
        if record is None or not all(map(self._store.content.exists, blobs_of(record))):
            return None
        return record if all(map(self._store.snapshots.exists, chain_ids(record.diff_ids))) else None

    def _is_settled(self, found: Found) -> bool:
        """Return whether the names lead to what was found already, with all that attests to it: nothing is to do."""
        named = map(self._store.catalog.named_target, self._names(found))
        if any(
            one is None or (one.manifest_digest, one.target) != (found.manifest.digest, found.target) for one in named
        ):
            return False
        attested = attestations_of(parse_index(found.index.raw), found.manifest.digest) if found.index else []
        return all(self._store.content.exists(Digest(one["digest"])) for one in attested)

    def _names(self, found: Found) -> list[Reference]:
        """Return what the image is called from now on."""
        by_digest = self._reference.with_digest(found.target)
        return [by_digest] if self._reference.digest else [self._reference, by_digest]

    async def _find(self, repository: Repository) -> Found:
        """Return what the reference stands for in ``repository``; only what is not stored is fetched."""
        name = self._reference.digest or self._reference.tag or ""
        top = await self._manifest(repository, name, revalidate=not is_digest(name))
        if not is_index(top.raw, top.media_type):
            return Found(repository, top, None)
        index = parse_index(top.raw)
        chosen = choose_image(index, self._platform)
        if chosen is None:
            raise NotFound(f"no matching manifest for {self._platform or host()} in the manifest list entries")
        return Found(repository, await self._manifest(repository, chosen["digest"]), top)

    async def _manifest(self, repository: Repository, name: str, *, revalidate: bool = False) -> Manifest:
        digest = name
        if revalidate and (head := await repository.head(name)):
            digest = head["digest"]
        if is_digest(digest) and (raw := await asyncio.to_thread(self._store.content.find, Digest(digest))):
            return Manifest(Digest(digest), "", raw)
        fetched = await repository.manifest(digest)
        document = decode_object(fetched.raw, "image manifest")
        refuse_schema_1(fetched.media_type, document.get("schemaVersion"), self._reference.familiar)
        return fetched

    async def _bring_or_again(self, found: Found, known: ImageRecord | None) -> ImageRecord:
        try:
            return await self._bring(found, known)
        except NotFound:
            if known is None or self._store.catalog.get(known.id) is not None:
                raise
            return await self._bring(found, None)  # it was here, and was removed while we were asking

    async def _bring(self, found: Found, known: ImageRecord | None) -> ImageRecord:
        manifest = parse_manifest(found.manifest.raw)
        require_image(manifest, self._reference.familiar)
        with ExitStack() as begun:
            await self._store.blocking.run(lambda: self._begin(found, manifest, begun))
            return await self._fetch(found, manifest, known)

    async def _fetch(self, found: Found, manifest: ImageManifest, known: ImageRecord | None) -> ImageRecord:
        config = await self._document(found.repository, manifest["config"], noted=True)
        diff_ids = diff_ids_of(parse_config(config))
        if len(diff_ids) != len(manifest["layers"]):
            raise InvalidArgument("invalid image: its configuration does not list the layers of its manifest")
        async with AsyncExitStack() as stack:
            intake = Intake(self._store.catalog, self._store.content, self._store.snapshots, self._store.workers)
            stack.push_async_callback(asyncio.to_thread, intake.close)
            layers: list[Layer] = []
            if known is None:
                layers = await self._layers(intake, found.repository, manifest["layers"], diff_ids)
            if found.index:
                await self._attestations(found.repository, parse_index(found.index.raw), found.manifest.digest)
            return await self._store.blocking.run(lambda: self._commit(intake, found, config, layers, known))

    def _begin(self, found: Found, manifest: ImageManifest, begun: ExitStack) -> None:
        """Record what is on its way, for as long as ``begun`` is open."""
        documents = [one for one in (found.manifest, found.index) if one]
        parts = [Digest(one["digest"]) for one in (manifest["config"], *manifest["layers"])]
        begun.callback(self._store.snapshots.unsettled.expect([*(one.digest for one in documents), *parts]))
        with self._store.catalog.lock:
            for one in documents:
                self._store.content.replace(one.raw, durable=False)
            self._store.catalog.reach.begin(found.target, self._store.now())

    def _commit(
        self, intake: Intake, found: Found, config: bytes, layers: list[Layer], known: ImageRecord | None
    ) -> ImageRecord:
        references = self._names(found)
        target = found.index.digest if found.index else None
        now = self._store.now()
        if known is not None:
            return self._store.catalog.rename_to(found.manifest.digest, references, now, target)
        return intake.commit(config, layers, references, now, manifest=found.manifest.raw, target=target)

    async def _document(self, repository: Repository, descriptor: Descriptor, *, noted: bool = False) -> bytes:
        """Return a small blob, from the store or into it; ``noted`` as unsettled: it is not waited for."""
        digest = Digest(descriptor["digest"])
        if stored := await asyncio.to_thread(self._store.content.find, digest):
            return stored
        data = await repository.small_blob(digest, descriptor.get("size", 0))
        await self._store.blocking.run(lambda: self._store.content.replace(data, durable=not noted))
        return data

    async def _attestations(self, repository: Repository, index: Index, digest: Digest) -> None:
        """Fetch what attests to the image, all of it or what there is: a registry may have dropped it."""
        for descriptor in attestations_of(index, digest):
            try:
                raw = (await self._manifest(repository, descriptor["digest"])).raw
                await self._store.blocking.run(lambda raw=raw: self._store.content.replace(raw))  # type: ignore[misc]  # bound now
                manifest = parse_manifest(raw)
                for one in (manifest["config"], *manifest["layers"]):
                    await self._document(repository, one)
            except NotFound:
                self._progress.step("Attestation is missing", short(descriptor["digest"]))

    async def _layers(
        self, intake: Intake, repository: Repository, descriptors: list[Descriptor], diff_ids: list[Digest]
    ) -> list[Layer]:
        chain = chain_ids(diff_ids)
        for descriptor in descriptors:
            self._progress.step("Pulling fs layer", short(descriptor["digest"]))
        limit = asyncio.Semaphore(self._downloads)

        async def one(descriptor: Descriptor, diff_id: Digest, chain_id: Digest) -> Layer:
            async with limit:
                return await self._layer(intake, repository, descriptor, diff_id=diff_id, chain_id=chain_id)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(*each)) for each in zip(descriptors, diff_ids, chain, strict=True)]
        except* (WharfError, OSError) as errors:
            raise first_of(errors) from None
        return [task.result() for task in tasks]

    async def _layer(
        self, intake: Intake, repository: Repository, descriptor: Descriptor, *, diff_id: Digest, chain_id: Digest
    ) -> Layer:
        digest, size, name = Digest(descriptor["digest"]), descriptor.get("size", 0), short(descriptor["digest"])
        content = self._store.content
        async with self._store.locks.of(digest):
            stored = content.exists(digest)
            if stored and self._store.snapshots.exists(chain_id):
                self._progress.step("Already exists", name)
                return intake.stored(descriptor, diff_id, chain_id)
            if stored:
                layer = await self._store.blocking.run(lambda: intake.layer_of_blob(descriptor))
            else:
                layer = await self._download(intake, repository, descriptor, digest=digest, size=size)
        if layer.diff_id != diff_id:
            raise InvalidArgument(f"layer {digest} has the diff id {layer.diff_id}, its image says {diff_id}")
        self._progress.step("Pull complete", name)
        return layer

    async def _download(
        self, intake: Intake, repository: Repository, descriptor: Descriptor, *, digest: Digest, size: int
    ) -> Layer:
        start = self._store.content.begun(digest)
        if 0 < start <= size:
            try:
                return await self._take_up(intake, repository, descriptor, digest=digest, size=size, start=start)
            except DataLoss:  # what was here may be the damage: a machine stopped before the disk had it
                self._progress.step("What was here is damaged", short(digest))
        self._store.content.discard(digest)
        return await self._take_up(intake, repository, descriptor, digest=digest, size=size, start=0)

    async def _take_up(
        self, intake: Intake, repository: Repository, descriptor: Descriptor, *, digest: Digest, size: int, start: int
    ) -> Layer:
        name = short(digest)

        def tell(current: int) -> None:
            self._progress.count("Downloading", name, current, size)
            if current >= size:
                self._progress.step("Download complete", name)

        chunks = counted(repository.blob(digest, size, start), tell, start)
        return await self._store.blocking.run_with(chunks, lambda source: intake.receive(source, descriptor))


def first_of(errors: ExceptionGroup[Exception]) -> Exception:
    """Return what to tell of several layers' failures: credentials first, for that can be helped."""
    found: list[Exception] = []
    pending: list[Exception] = [errors]
    while pending:
        error = pending.pop(0)
        if isinstance(error, ExceptionGroup):
            pending += error.exceptions
        else:
            found.append(error)
    return next((error for error in found if isinstance(error, Unauthorized)), found[0])
