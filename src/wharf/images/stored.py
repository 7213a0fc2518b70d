"""An image of the store, its documents and layers as they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator

import msgspec

from wharf.images.index import PREDICATE_TYPE, attestations_of, is_index, parse_index
from wharf.images.record import ImageRecord, parse_manifest
from wharf.lib.digest import Digest
from wharf.spec.engine_api.image import AttestationStatement
from wharf.spec.oci_image import Descriptor
from wharf.storage.content import ContentStore
from wharf.storage.pieces import pieces


class StoredImage:
    """One image; hold it while it is read."""

    def __init__(self, content: ContentStore, record: ImageRecord) -> None:
        self._content = content
        self.record = record

    @property
    def name(self) -> str:
        """What people call it."""
        return next(iter(self.record.tags), str(self.record.id))

    async def manifest(self) -> bytes:
        """Return its manifest."""
        return await asyncio.to_thread(self._content.read, self.record.manifest_digest)

    async def document(self, descriptor: Descriptor) -> bytes:
        """Return a document that its manifest names, verified."""
        return await asyncio.to_thread(self._content.read, Digest(descriptor["digest"]))

    def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """Yield a layer's blob."""
        return pieces(self._content.path(Digest(descriptor["digest"])), 0, descriptor.get("size", 0))

    async def attestations(
        self, indexes: Collection[Digest], types: Collection[str], *, whole: bool
    ) -> list[AttestationStatement]:
        """Return what is attested of the image.

        Args:
            indexes: digests of what names of it stand for; attestations lie beside it in an index.
            types: of predicates, as in-toto names them by URI; none for all.
            whole: with the statements themselves.

        Raises:
            DataLoss: a statement is missing or damaged.
        """
        return await asyncio.to_thread(lambda: list(self._attestations(indexes, types, whole=whole)))

    def _attestations(
        self, indexes: Collection[Digest], types: Collection[str], *, whole: bool
    ) -> Iterator[AttestationStatement]:
        for layer in self._attested(indexes):
            kind = (layer.get("annotations") or {}).get(PREDICATE_TYPE, "")
            if kind and (not types or kind in types):
                found: AttestationStatement = {"Descriptor": layer, "PredicateType": kind}
                if whole:
                    found["Statement"] = msgspec.json.decode(self._content.read(Digest(layer["digest"])))
                yield found

    def _attested(self, indexes: Collection[Digest]) -> Iterator[Descriptor]:
        for digest in indexes:
            raw = self._content.find(digest)
            if raw is None or not is_index(raw):
                continue
            for one in attestations_of(parse_index(raw), self.record.manifest_digest):
                manifest = self._content.find(Digest(one["digest"]))
                yield from parse_manifest(manifest)["layers"] if manifest else ()
