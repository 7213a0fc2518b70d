"""Layers without an image, in and out of the store: what builds keep, and what they take over from elsewhere."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass

from wharf.errors import DataLoss, InvalidArgument, NotFound
from wharf.images.image_set import Form, ImageSet, Member, Part, put_together
from wharf.images.intake import Intake, Layer
from wharf.images.media_types import LAYERS
from wharf.images.origins import Build
from wharf.images.packing import Compression, Shelf, diff_id_of
from wharf.images.platform import acceptable, host
from wharf.images.record import ImageRecord, parse_config, platform_of_config
from wharf.images.squashing import SquashRequest, squash_image
from wharf.images.store import Store
from wharf.lib.digest import Digest, chain_ids, digest_of
from wharf.lib.reference import Reference
from wharf.spec.oci_image import Descriptor, ImageConfig
from wharf.storage.drafts import StagedLayer
from wharf.storage.metadata import Database

Record = Callable[[sqlite3.Connection, str], None]
"""Enters what refers to a layer, by its chain id, inside a transaction."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A layer that somebody has; its bytes are not trusted."""

    descriptor: Descriptor
    diff_id: Digest
    read: Callable[[], AsyncIterator[bytes]]


class Layers:
    """Those of one store."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database

    def shelf(self, compression: Compression | None = None) -> Shelf:
        """Return what makes blobs of layers."""
        store = self._store
        return Shelf(store.catalog, store.content, store.snapshots, compression)

    async def keep(
        self, images: ImageSet, references: Iterable[Reference], build: Build | None = None
    ) -> ImageRecord:
        """Make images of the store, and let names stand for what they are in together.

        Args:
            images: the images.
            references: what they are called from now on.
            build: what made them, when that is known by a name.

        Returns:
            The one that suits this machine best.
        """
        names, now = list(references), self._store.now()
        return await self._store.blocking.run(lambda: self._keep(images, names, now, build))

    def _keep(
        self, images: ImageSet, names: Sequence[Reference], now: str, build: Build | None = None
    ) -> ImageRecord:
        first, *others = _best_first(images.members)
        target = digest_of(images.raw) if images.is_index else None
        taken: set[str] = set()
        with ExitStack() as stack:
            intake = stack.enter_context(self._intake())
            unpacked = self._unpacked(intake, images.members, stack)
            stack.enter_context(self._store.catalog.lock)
            attached = [data for one in images.attached for data in (*one.blobs, one.manifest)]
            besides = [intake.document(data) for data in (*attached, images.raw)] if target else []
            own = _layers(first, taken, unpacked)
            record = intake.commit(
                first.config, own, names, now, manifest=first.manifest, target=target, besides=besides
            )
            for member in others:
                intake.commit(member.config, _layers(member, taken, unpacked), (), now, manifest=member.manifest)
        if build:
            for member in images.members:
                self._store.catalog.origins.built(member.image_id, build)
        return record

    def _unpacked(self, intake: Intake, members: Iterable[Member], held: ExitStack) -> dict[str, StagedLayer]:
        """Unpack blobs that are of no layer here, since their archives are not as ours (estargz); by chain id."""
        found: dict[str, StagedLayer] = {}
        for member in members:
            chain = [str(one) for one in chain_ids([blob.diff_id for blob in member.blobs])]
            held.enter_context(self._store.catalog.reach.hold(chain))
            for chain_id, blob in zip(chain, member.blobs, strict=True):
                if chain_id in found or self._store.snapshots.exists(chain_id):
                    continue
                layer = intake.layer_of(blob.writer) if blob.writer else intake.layer_of_blob(blob.descriptor)
                assert layer.folder is not None
                found[chain_id] = layer.folder
        return found

    async def assemble(self, config: ImageConfig, chain_id: str, references: Iterable[Reference]) -> ImageRecord:
        """Make an image of layers that are in the store; its ``rootfs`` is filled in.

        Raises:
            DataLoss: a layer is not what it was when it was made.
        """
        names, now = list(references), self._store.now()
        with self.shelf() as shelf:

            def assembled() -> ImageRecord:
                parts = [Part(config, shelf.blobs(chain_id))]
                return self._keep(put_together(parts, Form()), names, now)

            return await self._store.blocking.run(assembled)

    async def name(self, image_id: Digest, references: Iterable[Reference]) -> ImageRecord | None:
        """Let names stand for an image that is here, and return it; None when it has gone."""
        record, names = self._store.catalog.get(image_id), list(references)
        if record is None or not names:
            return record
        now = self._store.now()

        def named() -> ImageRecord | None:
            try:
                return self._store.catalog.rename_to(record.manifest_digest, names, now, None)
            except NotFound:
                return None

        return await self._store.blocking.run(named)

    async def squash(self, request: SquashRequest) -> ImageRecord:
        """Make an image with fewer layers; raises as :func:`wharf.images.squashing.squash_image`."""
        return await self._store.blocking.run(lambda: self._squash(request))

    def _squash(self, request: SquashRequest) -> ImageRecord:
        with self._intake() as intake:
            return squash_image(intake, self._store.snapshots, request, self._store.now())

    async def receive(self, layers: Sequence[Offered], record: Record) -> None:
        """Bring layers in, those that are not here, and record what refers to the uppermost. All of it or nothing.

        Args:
            layers: the lowest first; at least one.
            record: enters a reference, in the same transaction.

        Raises:
            DataLoss: other bytes came than were offered.
            InvalidArgument: a layer is of no known kind, or its archive is corrupt or refused.
        """
        store = self._store
        chain = chain_ids([layer.diff_id for layer in layers])
        with store.catalog.reach.hold(map(str, chain)):
            async with AsyncExitStack() as stack:
                intake = self._intake()
                stack.push_async_callback(asyncio.to_thread, intake.close)
                brought = [await self._bring(intake, *each) for each in zip(layers, chain, strict=True)]
                await store.blocking.run(lambda: self._enter(intake, brought, lambda db: record(db, chain[-1])))

    def _intake(self) -> Intake:
        store = self._store
        return Intake(store.catalog, store.content, store.snapshots, store.workers)

    async def _bring(self, intake: Intake, layer: Offered, chain_id: Digest) -> Layer:
        store, descriptor = self._store, layer.descriptor
        digest, size = Digest(descriptor["digest"]), descriptor.get("size", 0)
        if descriptor.get("mediaType", "") not in LAYERS:
            raise InvalidArgument(
                f"layer {digest} has the media type {descriptor.get('mediaType')}, which is no image's"
            )
        async with store.locks.of(chain_id):
            if store.snapshots.exists(chain_id):
                return intake.stored(descriptor, layer.diff_id, chain_id)
            brought = await store.blocking.run_with(_bounded(layer.read(), size, digest), intake.layer)
        writer = brought.writer
        if writer is None or (writer.digest, writer.size) != (digest, size):
            raise DataLoss(f"layer {digest} came with other bytes than were offered")
        if brought.diff_id != layer.diff_id:
            raise DataLoss(f"layer {digest} has the diff id {brought.diff_id}, {layer.diff_id} was offered")
        await store.blocking.run(lambda: self._require_own(brought))
        return brought

    def _require_own(self, layer: Layer) -> None:
        """Refuse a layer whose archive could not be made again of its files: its blob is not kept."""
        assert layer.folder is not None
        if self._store.catalog.stored_layer(layer.diff_id) is None and self._packed(layer.folder) != layer.diff_id:
            raise InvalidArgument(f"the layer with the diff id {layer.diff_id} was packed by another tool")

    def _packed(self, folder: StagedLayer) -> Digest:
        return diff_id_of(self._store.snapshots.files_of(folder))

    def _enter(self, intake: Intake, layers: list[Layer], record: Callable[[sqlite3.Connection], None]) -> None:
        with self._store.catalog.lock:
            records = intake.settle([layer.diff_id for layer in layers], layers)
            with self._database.transaction() as db:
                records(db)
                record(db)


def _best_first(members: Sequence[Member]) -> list[Member]:
    """Return images with the one for this machine first."""
    suitable = acceptable(host())

    def place(member: Member) -> int:
        platform = platform_of_config(parse_config(member.config))
        return suitable.index(platform) if platform in suitable else len(suitable)

    return sorted(members, key=place)


def _layers(member: Member, taken: set[str], unpacked: dict[str, StagedLayer]) -> list[Layer]:
    """Return an image's layers, each blob and each folder on its way in for the first image that has it."""
    layers = []
    chain = chain_ids([blob.diff_id for blob in member.blobs])
    for chain_id, blob in zip(chain, member.blobs, strict=True):
        digest = str(blob.descriptor["digest"])
        writer = None if digest in taken else blob.writer
        folder = unpacked.pop(str(chain_id), None)
        layers.append(Layer(blob.descriptor, blob.diff_id, blob.size_bytes, writer, folder))
        taken.add(digest)
    return layers


async def _bounded(chunks: AsyncIterator[bytes], size: int, digest: Digest) -> AsyncIterator[bytes]:
    """Yield no more than was offered."""
    count = 0
    async for chunk in chunks:
        count += len(chunk)
        if count > size:
            raise DataLoss(f"layer {digest} is longer than the {size} bytes that were offered")
        yield chunk
