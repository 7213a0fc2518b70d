from __future__ import annotations

import asyncio
import gzip
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.root.images.conftest import Store, chunks, tar
from tests.root.images.test_packing import _layer

from wharf.build.operations.results import Layers
from wharf.errors import DataLoss, InvalidArgument, WharfError
from wharf.images.image_set import Form, Part, Predicate, put_together
from wharf.images.layers import Offered
from wharf.lib.digest import Digest, digest_of
from wharf.lib.reference import parse_reference
from wharf.spec.oci_image import OCI_LAYER_GZIP, ImageConfig
from wharf.storage.compression import Decompressed

_CONFIG: ImageConfig = {"architecture": "amd64", "os": "linux", "config": {}}
_NAME = parse_reference("made:1")


def _offered(store: Store, chain_id: str) -> list[Offered]:
    """Offer a store's layers, from memory."""
    with store.images.layers.shelf() as shelf:
        return [_one(blob.path.read_bytes(), blob.diff_id) for blob in shelf.blobs(chain_id)]


def _one(data: bytes, diff_id: Digest, promised: bytes | None = None) -> Offered:
    digest = f"sha256:{hashlib.sha256(data if promised is None else promised).hexdigest()}"
    size = len(data if promised is None else promised)

    def read() -> AsyncIterator[bytes]:
        return chunks(data)

    return Offered({"mediaType": OCI_LAYER_GZIP, "digest": digest, "size": size}, diff_id, read)


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store(tmp_path / "other")


def _receive(store: Store, layers: list[Offered]) -> list[str]:
    """Take layers in; return what was recorded of them."""
    recorded: list[str] = []

    def record(db: sqlite3.Connection, chain_id: str) -> None:
        assert db.execute("SELECT 1 FROM snapshots WHERE chain_id = ?", (chain_id,)).fetchone()
        recorded.append(chain_id)

    async def main() -> None:
        await store.images.start()
        await store.images.layers.receive(layers, record)

    asyncio.run(main())
    return recorded


def test_layers_of_one_store_become_anothers(store: Store, other: Store) -> None:
    layer = _layer(store, _layer(store, Layers(), "1"), "2")

    assert _receive(other, _offered(store, layer.chain_id)) == [layer.chain_id]

    assert [folder.joinpath("f").read_text() for folder in other.snapshots.lower_dirs(layer.chain_id)] == ["2", "1"]
    assert not [name for name in other.leftovers() if name.startswith(("ingest/", "content/ingest/"))]
    assert list(other.content.digests()) == []
    asyncio.run(other.aclose())


def test_what_is_not_as_offered_leaves_nothing(store: Store, other: Store) -> None:
    layer = _layer(store, Layers(), "1")
    (good,) = _offered(store, layer.chain_id)
    data = asyncio.run(_all(good))
    foreign = tar(g=b"packed by another tool")
    for offered, kind, said in (
        (_one(gzip.compress(foreign), good.diff_id), DataLoss, "has the diff id"),
        (_one(data, good.diff_id, promised=data[:-1]), DataLoss, "longer than"),
        (_one(data, good.diff_id, promised=data + b"x"), DataLoss, "other bytes"),
        (_one(b"nonsense", good.diff_id), InvalidArgument, "corrupt archive"),
        (
            _one(gzip.compress(foreign), digest_of(foreign)),
            InvalidArgument,
            "another tool",
        ),
    ):
        with pytest.raises(kind, match=said):
            _receive(other, [offered])
    strange = Offered({**good.descriptor, "mediaType": "text/plain"}, good.diff_id, good.read)
    with pytest.raises(WharfError, match="no image's"):
        _receive(other, [strange])
    assert other.leftovers() == []
    asyncio.run(other.aclose())


async def _all(offered: Offered) -> bytes:
    return b"".join([piece async for piece in offered.read()])


def test_layers_of_the_store_become_an_image(store: Store) -> None:
    async def main() -> None:
        await store.images.start()
        one = _layer(store, Layers(), "1")
        two = _layer(store, one, "2")

        record = await store.images.layers.assemble(_CONFIG, two.chain_id, [_NAME])
        again = await store.images.layers.assemble(_CONFIG, two.chain_id, [parse_reference("other:1")])
        above = await store.images.layers.assemble(_CONFIG, _layer(store, two, "3").chain_id, [])

        assert record.chain_id == two.chain_id
        assert again.id == record.id
        assert above.manifest["layers"][:2] == record.manifest["layers"]
        with store.content.open(record.manifest["layers"][0]["digest"]) as blob:  # type: ignore[arg-type]
            plain = Decompressed(blob)
            plain.drain()
        assert plain.digest == record.diff_ids[0]

    asyncio.run(main())


def test_an_image_that_is_here_already_is_not_written_again(store: Store) -> None:
    async def main() -> None:
        await store.images.start()
        layer = _layer(store, Layers(), "1")
        made = await store.images.layers.assemble(_CONFIG, layer.chain_id, [_NAME])
        blob = store.content.path(Digest(made.manifest["layers"][0]["digest"]))  # type: ignore[arg-type]
        seen = [path.stat().st_mtime_ns for path in (store.content.root / "blobs/sha256", store.content.root)]

        again = await store.images.layers.assemble(_CONFIG, layer.chain_id, [_NAME])
        assert again.id == made.id
        assert seen == [path.stat().st_mtime_ns for path in (store.content.root / "blobs/sha256", store.content.root)]

        blob.unlink()
        await store.images.layers.assemble(_CONFIG, layer.chain_id, [_NAME])
        assert blob.exists()

    asyncio.run(main())


def test_a_layer_that_changed_is_not_taken(store: Store) -> None:
    async def main() -> None:
        await store.images.start()
        layer = _layer(store, Layers(), "1")
        (store.snapshots.lower_dirs(layer.chain_id)[0] / "f").write_text("2")

        with pytest.raises(DataLoss, match="is not what it was"):
            await store.images.layers.assemble(_CONFIG, layer.chain_id, [_NAME])

    asyncio.run(main())


def test_names_stand_for_a_whole_set_and_what_they_stood_for_goes(store: Store) -> None:
    async def main() -> None:
        await store.images.start()
        layer = _layer(store, Layers(), "1")
        before: set[str] = set()
        for said in ("once", "twice"):
            with store.images.layers.shelf() as shelf:
                blobs = shelf.blobs(layer.chain_id)
                about = (Predicate("t", said),)
                kinds: list[ImageConfig] = [{**_CONFIG, "architecture": one} for one in ("arm64", "amd64")]
                parts = [Part(config, blobs, predicates=about) for config in kinds]
                images = put_together(parts, Form(index=True), [_NAME])
                record = await store.images.layers.keep(images, [_NAME])
            assert record.config["architecture"] == "amd64"
            assert store.images.resolve("made:1", "linux/arm64").config["architecture"] == "arm64"
            now = set(store.content.digests())
            assert len(now) == 1 + 4 + 3 * 2 + 1  # a layer, images, what attests to them, and an index
            assert len(before & now) in (0, 5)
            before = now
        await store.images.remove("made:1")
        assert list(store.content.digests()) == []

    asyncio.run(main())
