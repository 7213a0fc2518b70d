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
from wharf.images.layers import Offered
from wharf.lib.digest import Digest, digest_of
from wharf.spec.oci_image import OCI_LAYER_GZIP


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
    other.database.close()


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
    other.database.close()


async def _all(offered: Offered) -> bytes:
    return b"".join([piece async for piece in offered.read()])
