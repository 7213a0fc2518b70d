"""An image of the store, its documents and layers as they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from wharf.images.record import ImageRecord
from wharf.lib.digest import Digest
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
