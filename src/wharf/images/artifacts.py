"""What registries keep besides images, read and written as it is: a manifest, and the blobs that it lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from wharf.errors import WharfError
from wharf.images.image_set import ImageSet
from wharf.images.packing import Blob
from wharf.images.pull import first_of
from wharf.images.push import media_type_of
from wharf.images.registry.repository import Repository
from wharf.images.registry.upload import Reader, Uploads
from wharf.lib.digest import Digest, digest_of
from wharf.lib.reference import Reference
from wharf.spec.oci_image import Descriptor
from wharf.storage.pieces import pieces

_AT_ONCE: Final = 3


class Artifact:
    """What a registry has under one name."""

    def __init__(self, repository: Repository, uploads: Uploads, reference: Reference) -> None:
        self._repository = repository
        self._uploads = uploads
        self._reference = reference

    @property
    def name(self) -> str:
        """Its reference."""
        return str(self._reference)

    async def manifest(self) -> bytes:
        """Return its manifest, verified; NotFound when there is none."""
        return (await self._repository.manifest(self._reference.digest or self._reference.tag or "")).raw

    async def document(self, descriptor: Descriptor) -> bytes:
        """Return a manifest that its manifest lists, or a small blob, verified.

        Raises:
            NotFound: there is none.
            DataLoss: it has other bytes.
        """
        digest = Digest(descriptor["digest"])
        if ".manifest." in descriptor.get("mediaType", "") or ".index." in descriptor.get("mediaType", ""):
            return (await self._repository.manifest(digest)).raw
        return await self._repository.small_blob(digest, descriptor.get("size", 0))

    def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """Yield a blob, which is not verified."""
        return self._repository.blob(Digest(descriptor["digest"]), descriptor.get("size", 0))

    async def write(self, descriptor: Descriptor, path: Path) -> None:
        """Bring a blob there, from a file; nothing is sent when it is there."""
        await self._uploads.blob(Digest(descriptor["digest"]), descriptor.get("size", 0), _file(path))

    async def write_document(self, descriptor: Descriptor, data: bytes) -> None:
        """Bring a small blob there."""

        async def read(start: int, end: int) -> AsyncIterator[bytes]:
            yield data[start:end]

        await self._uploads.blob(Digest(descriptor["digest"]), len(data), read)

    async def write_manifest(self, raw: bytes, media_type: str) -> None:
        """Give the name to a manifest."""
        await self._uploads.manifest(self._reference.tag or "latest", raw, media_type)

    async def write_images(self, images: ImageSet, *, by_digest: bool = False) -> None:
        """Bring images there, with all that they have; ``by_digest``: without giving them the name's tag."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(blob: Blob) -> None:
            async with limit:
                await self.write(blob.descriptor, blob.path)

        try:
            async with asyncio.TaskGroup() as group:
                for blob in images.blobs:
                    group.create_task(one(blob))
        except* (WharfError, OSError) as errors:
            raise first_of(errors) from None
        for data in images.small_blobs:
            await self.write_document({"digest": digest_of(data), "size": len(data)}, data)
        for raw in images.manifests:
            await self._uploads.manifest(digest_of(raw), raw, media_type_of(raw))
        name = digest_of(images.raw) if by_digest else self._reference.tag or "latest"
        await self._uploads.manifest(name, images.raw, media_type_of(images.raw))


def _file(path: Path) -> Reader:
    return lambda start, end: pieces(path, start, end)
