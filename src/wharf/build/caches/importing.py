"""Results from elsewhere: what a cache has is known at once, its layers come when one of them is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from wharf.build.caches.config import record_digest
from wharf.build.caches.manifest import CachedLayer, Results, config_of, images_of, inline_results_of, results_of
from wharf.build.operations.store import Recorder
from wharf.images.layers import Offered
from wharf.images.record import parse_manifest
from wharf.lib.digest import chain_ids
from wharf.spec.oci_image import Descriptor

_MAX_IMAGES: Final = 32  # of an index, that are looked into for inline caches

Receive = Callable[[Sequence[Offered], Recorder], Awaitable[None]]
"""Takes layers into the store."""


class Readable(Protocol):
    """A repository at a registry, a folder of the client's, or an image that is here."""

    @property
    def name(self) -> str:
        """What people are told of it."""

    async def manifest(self) -> bytes:
        """Return what is there, verified.

        Raises:
            NotFound: there is nothing.
        """

    async def document(self, descriptor: Descriptor) -> bytes:
        """Return a small blob, verified.

        Raises:
            NotFound: there is none.
            DataLoss: it has other bytes.
        """

    def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """Yield a blob, which is not verified."""


async def results_at(place: Readable) -> Results:
    """Return what a place has: a cache, or an image with its own in it.

    Raises:
        NotFound: there is nothing.
        InvalidArgument: it is malformed.
        DataLoss: a document has other bytes than its digest says.
    """
    raw = await place.manifest()
    if (config := config_of(raw)) is not None:
        return await asyncio.to_thread(results_of, raw, await place.document(config))
    found: dict[str, tuple[CachedLayer, ...]] = {}
    manifests = [await place.document(one) for one in images_of(raw)[:_MAX_IMAGES]] or [raw]
    for manifest in manifests:
        image = await place.document(parse_manifest(manifest)["config"])
        found.update(await asyncio.to_thread(inline_results_of, manifest, image))
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A result that some place has."""

    place: Readable
    layers: tuple[CachedLayer, ...]

    @property
    def chain_id(self) -> str:
        """Of its layers."""
        return chain_ids([layer.diff_id for layer in self.layers])[-1]

    @property
    def times(self) -> dict[str, int]:
        """When its layers were made, by chain id, those of which it is known."""
        chain = chain_ids([layer.diff_id for layer in self.layers])
        return {at: layer.created_ns for at, layer in zip(chain, self.layers, strict=True) if layer.created_ns}


class Imports:
    """What the caches of one build have."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._known: dict[str, Found] = {}
        self._spoilt: list[Readable] = []

    def add(self, place: Readable, results: Results) -> None:
        """Take results of a place into account; what is known already stays."""
        for digest, layers in results.items():
            self._known.setdefault(digest, Found(place, layers))

    def find(self, keys: Iterable[str]) -> Found | None:
        """Return what some place has under one of these keys of the solver's cache."""
        for key in keys:
            found = self._known.get(record_digest(key))
            if found is not None and found.place not in self._spoilt:
                return found
        return None

    async def bring(self, found: Found, record: Recorder) -> None:
        """Take a result into the store, where it is one of our own from then on.

        Raises:
            WharfError: it could not be had, or is not what it was said to be.
        """
        layers = [Offered(one.descriptor, one.diff_id, partial(_read, found, one)) for one in found.layers]
        await self._receive(layers, record)

    def spoil(self, found: Found) -> None:
        """Take nothing more from where this one was said to be."""
        self._spoilt.append(found.place)


def _read(found: Found, layer: CachedLayer) -> AsyncIterator[bytes]:
    return found.place.read(layer.descriptor)
