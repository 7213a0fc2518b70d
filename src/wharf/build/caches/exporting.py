"""Results brought to where other engines find them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from wharf.build.caches.config import Kept, encode
from wharf.build.caches.importing import Readable
from wharf.build.caches.manifest import Form, written
from wharf.images.packing import Blob, Shelf
from wharf.lib.digest import digest_of
from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.buildkit_cache import CACHE_CONFIG, CREATED_AT, UNCOMPRESSED
from wharf.spec.oci_image import Descriptor

_AT_ONCE: Final = 4


class Place(Readable, Protocol):
    """One that can be written to as well."""

    async def write(self, descriptor: Descriptor, path: Path) -> None:
        """Bring a blob there, from a file."""

    async def write_document(self, descriptor: Descriptor, data: bytes) -> None:
        """Bring a small blob there."""

    async def write_manifest(self, raw: bytes, media_type: str) -> None:
        """Say what is there from now on."""


async def export(place: Place, results: Sequence[Kept], shelf: Shelf, form: Form) -> Descriptor | None:
    """Write results, with all their layers; return what was written, None for results without any.

    Args:
        place: where to.
        results: those to be written.
        shelf: makes blobs of layers.
        form: of the manifest.

    Raises:
        WharfError: the place does not take them.
    """
    kept = [one for one in results if one.chain_id]
    if not kept:
        return None
    made = await asyncio.to_thread(lambda: {one.chain_id: shelf.blobs(one.chain_id) for one in kept})
    digests = {top: [str(blob.descriptor["digest"]) for blob in own] for top, own in made.items()}
    config = msgspec.json.encode(encode(kept, digests))
    blobs = {str(blob.descriptor["digest"]): blob for own in made.values() for blob in own}
    await _write(place, list(blobs.values()))
    await place.write_document({"mediaType": CACHE_CONFIG, "digest": digest_of(config), "size": len(config)}, config)
    made_at = {one.chain_id: one.created_ns for one in kept}
    times = {str(own[-1].descriptor["digest"]): made_at[top] for top, own in made.items()}
    raw = written([_described(blob, times) for blob in blobs.values()], config, form)
    await place.write_manifest(raw, form.media_type)
    return {"mediaType": form.media_type, "digest": digest_of(raw), "size": len(raw)}


async def _write(place: Place, blobs: Sequence[Blob]) -> None:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(blob: Blob) -> None:
        async with limit:
            await place.write(blob.descriptor, blob.path)

    tasks = [asyncio.create_task(one(blob)) for blob in blobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _described(blob: Blob, times: Mapping[str, int]) -> Descriptor:
    digest = str(blob.descriptor["digest"])
    notes = {UNCOMPRESSED: str(blob.diff_id)}
    if times.get(digest):
        notes[CREATED_AT] = rfc3339_nano(times[digest])
    return {**blob.descriptor, "annotations": notes}
