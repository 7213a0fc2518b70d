from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wharf.build.caches.config import Kept, record_digest
from wharf.build.caches.exporting import export
from wharf.build.caches.importing import results_at
from wharf.build.caches.manifest import Form
from wharf.errors import Unavailable
from wharf.images.packing import Blob
from wharf.lib.digest import Digest, digest_of
from wharf.spec.oci_image import Descriptor

TIME = 1_700_000_000_000_000_007


class _Place:
    """A cache in memory."""

    name = "memory"

    def __init__(self, fails: str = "") -> None:
        self.blobs: dict[str, bytes] = {}
        self.top = b""
        self._fails = fails

    async def write(self, descriptor: Descriptor, path: Path) -> None:
        if descriptor["digest"] == self._fails:
            raise Unavailable("full")
        self.blobs[descriptor["digest"]] = path.read_bytes()  # noqa: ASYNC240  # a few bytes

    async def write_document(self, descriptor: Descriptor, data: bytes) -> None:
        self.blobs[descriptor["digest"]] = data

    async def write_manifest(self, raw: bytes, media_type: str) -> None:
        assert json.loads(raw)["mediaType"] == media_type
        self.top = raw

    async def manifest(self) -> bytes:
        return self.top

    async def document(self, descriptor: Descriptor) -> bytes:
        return self.blobs[descriptor["digest"]]

    async def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        yield self.blobs[descriptor["digest"]]


class _Shelf:
    """Layers whose blobs are their names."""

    def __init__(self, folder: Path, **chains: str) -> None:
        self._folder = folder
        self._chains = chains

    def blobs(self, chain_id: str) -> list[Blob]:
        return [self._blob(name) for name in self._chains[chain_id]]

    def _blob(self, name: str) -> Blob:
        path = self._folder / name
        path.write_text(name)
        digest = digest_of(name.encode())
        return Blob({"mediaType": "m", "digest": digest, "size": 1}, Digest(f"sha256:{name * 64}"), 1, path)


RESULTS = [Kept(("k1#0",), "one", TIME), Kept(("k2#0", "k3#0"), "two"), Kept(("k4#0",), "")]


def test_what_was_written_is_found_again(tmp_path: Path) -> None:
    async def body() -> None:
        place = _Place()
        written = await export(place, RESULTS, _Shelf(tmp_path, one="a", two="ab"), Form())  # type: ignore[arg-type]
        assert written == {"mediaType": Form().media_type, "digest": digest_of(place.top), "size": len(place.top)}
        found = await results_at(place)
        assert set(found) == {record_digest(key) for key in ("k1#0", "k2#0", "k3#0")}
        assert [layer.diff_id[7] for layer in found[record_digest("k3#0")]] == ["a", "b"]
        assert [layer.created_ns for layer in found[record_digest("k2#0")]] == [TIME, None]

    asyncio.run(body())


def test_nothing_is_written_of_results_without_layers(tmp_path: Path) -> None:
    place = _Place()
    assert asyncio.run(export(place, RESULTS[2:], _Shelf(tmp_path), Form())) is None  # type: ignore[arg-type]
    assert place.blobs == {}


def test_a_place_that_takes_no_more_has_no_manifest(tmp_path: Path) -> None:
    place = _Place(fails=digest_of(b"b"))
    with pytest.raises(Unavailable, match="full"):
        asyncio.run(export(place, RESULTS, _Shelf(tmp_path, one="a", two="ab"), Form()))  # type: ignore[arg-type]
    assert place.top == b""
