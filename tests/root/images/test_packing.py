from __future__ import annotations

import asyncio
import gzip
from contextlib import closing
from pathlib import Path

import pytest
from tests.root.images.conftest import Store, imported, tar

from wharf.build.operations.results import Layers
from wharf.build.operations.store import Store as Drafts
from wharf.build.operations.store import unrecorded
from wharf.errors import DataLoss
from wharf.images.packing import Blob, Compression, diff_id_of
from wharf.storage.compression import Decompressed
from wharf.storage.estargz import table_digest


def _layer(store: Store, base: Layers, text: str) -> Layers:
    drafts = Drafts(store.snapshots, store.database)
    with drafts.draft(base) as draft:
        with drafts.change(draft) as fd:
            Path(f"/proc/self/fd/{fd}/f").write_text(text)
        return drafts.keep(draft, unrecorded)


def _plain(blob: Blob) -> tuple[str, str]:
    """Return how a blob is compressed, and the digest of what is in it."""
    with closing(blob.path.open("rb")) as file:
        plain = Decompressed(file)
        plain.drain()
    return plain.compression, plain.digest


def test_layers_are_packed_once_and_as_asked(store: Store) -> None:
    layer = _layer(store, _layer(store, Layers(), "1"), "2")
    for compression, kind in (
        (Compression(), "gzip"),
        (Compression("zstd"), "zstd"),
        (Compression("gzip", 9, oci=False), "gzip"),
        (Compression(""), ""),
    ):
        with store.images.layers.shelf(compression) as shelf:
            blobs = shelf.blobs(layer.chain_id)
            assert [_plain(blob) for blob in blobs] == [(kind, blob.diff_id) for blob in blobs]
            assert shelf.blobs(layer.chain_id) == blobs
            assert {blob.descriptor["mediaType"] for blob in blobs} == {compression.media_type}
        assert not any(blob.path.exists() for blob in blobs)
        assert store.leftovers() == sorted(name for name in store.leftovers() if name.startswith("snapshots/"))


def test_layers_whose_files_can_be_fetched_alone_say_so_and_stay_as_they_are(store: Store) -> None:
    layer = _layer(store, Layers(), "1")
    with store.images.layers.shelf(Compression("estargz")) as shelf:
        (blob,) = shelf.blobs(layer.chain_id)
        table = table_digest(blob.path)
        assert table is not None
        assert blob.descriptor["annotations"]["containerd.io/snapshot/stargz/toc.digest"] == table
        assert blob.descriptor["mediaType"].endswith("tar+gzip")
        assert _plain(blob) == ("gzip", blob.diff_id)
        assert blob.diff_id != store.snapshots.diff_ids(layer.chain_id)[0]
        data = blob.path.read_bytes()

    async def main() -> None:
        await store.images.start()
        await imported(store, data, "made")

    asyncio.run(main())
    record = store.images.resolve("made")
    with store.images.layers.shelf(Compression("estargz", force=True)) as shelf:
        (kept,) = shelf.blobs(record.chain_id)
        assert (kept.writer, kept.descriptor["annotations"]) == (
            None,
            {"containerd.io/snapshot/stargz/toc.digest": table},
        )


def test_what_an_image_has_stored_stays_as_it_is_unless_it_must_not(store: Store) -> None:
    async def main() -> str:
        await store.images.start()
        return await imported(store, gzip.compress(tar(f=b"x" * 1000)), "made")

    asyncio.run(main())
    record = store.images.resolve("made")
    stored = record.manifest["layers"][0]
    with store.images.layers.shelf(Compression("zstd")) as shelf:
        assert shelf.blobs(record.chain_id)[0].descriptor["digest"] == stored["digest"]
    with store.images.layers.shelf(Compression("zstd", force=True)) as shelf:
        (blob,) = shelf.blobs(record.chain_id)  # not as we pack it: the stored archive is kept
        assert _plain(blob) == ("zstd", record.diff_ids[0])
    with store.images.layers.shelf(Compression(oci=False)) as shelf:
        assert shelf.blobs(record.chain_id)[0].descriptor["mediaType"].startswith("application/vnd.docker.image")


def test_a_layer_that_changed_is_not_packed(store: Store) -> None:
    layer = _layer(store, Layers(), "1")
    (folder,) = store.snapshots.lower_dirs(layer.chain_id)
    assert diff_id_of(folder) == store.snapshots.diff_ids(layer.chain_id)[0]
    (folder / "f").write_text("2")
    with pytest.raises(DataLoss, match="is not what it was"), store.images.layers.shelf() as shelf:
        shelf.blobs(layer.chain_id)
