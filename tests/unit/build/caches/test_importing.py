from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from wharf.build.caches.config import Kept, encode, record_digest
from wharf.build.caches.importing import Imports, results_at
from wharf.build.caches.manifest import CachedLayer, Form, written
from wharf.build.operations.store import Recorder
from wharf.errors import NotFound
from wharf.images.layers import Offered
from wharf.lib.digest import Digest, digest_of
from wharf.spec.oci_image import Descriptor

A = f"sha256:{'a' * 64}"
DIFF = Digest(f"sha256:{'1' * 64}")
LAYER: Descriptor = {"mediaType": "m", "digest": A, "size": 1, "annotations": {"containerd.io/uncompressed": DIFF}}
CONFIG = msgspec.json.encode(encode([Kept(("k#0",), "top")], {"top": [A]}))


class _Place:
    """A cache in memory."""

    name = "memory"

    def __init__(self, raw: bytes, **documents: bytes) -> None:
        self._raw = raw
        self._documents = {digest_of(data): data for data in documents.values()}

    async def manifest(self) -> bytes:
        return self._raw

    async def document(self, descriptor: Descriptor) -> bytes:
        if descriptor["digest"] not in self._documents:
            raise NotFound(descriptor["digest"])
        return self._documents[Digest(descriptor["digest"])]

    async def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        yield descriptor["digest"].encode()


def _nothing(db: sqlite3.Connection, chain_id: str) -> None:
    """Record nothing."""


def test_what_a_cache_has_is_found_by_its_keys_and_brought_when_asked_for() -> None:
    brought: list[bytes] = []

    async def receive(layers: Sequence[Offered], record: Recorder) -> None:
        assert record is _nothing
        brought.extend([piece for layer in layers async for piece in layer.read()])

    async def body() -> None:
        imports, place = Imports(receive), _Place(written([LAYER], CONFIG, Form()), config=CONFIG)
        imports.add(place, await results_at(place))
        assert imports.find(["other#0"]) is None
        found = imports.find(["other#0", "k#0"])
        assert found is not None
        assert (found.chain_id, brought) == (DIFF, [])
        await imports.bring(found, _nothing)
        imports.spoil(found)
        assert imports.find(["k#0"]) is None

    asyncio.run(body())
    assert brought == [A.encode()]


def test_the_first_cache_that_has_a_result_is_asked() -> None:
    async def receive(layers: Sequence[Offered], record: Recorder) -> None:
        raise AssertionError

    imports, first, second = Imports(receive), _Place(b"1"), _Place(b"2")
    layers = (CachedLayer(LAYER, DIFF),)
    for place in (first, second):
        imports.add(place, {record_digest("k#0"): layers})
    found = imports.find(["k#0"])
    assert found is not None
    assert found.place is first


def test_a_cache_without_its_document_is_not_there() -> None:
    with pytest.raises(NotFound):
        asyncio.run(results_at(_Place(written([LAYER], CONFIG, Form()))))
