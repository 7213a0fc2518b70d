from __future__ import annotations

import asyncio

import pytest
from tests.root.images.conftest import Store

from wharf.build.operations.results import Layers
from wharf.build.operations.store import Store as Drafts
from wharf.build.operations.store import unrecorded
from wharf.errors import DataLoss
from wharf.lib.reference import parse_reference
from wharf.spec.oci_image import ImageConfig
from wharf.storage.compression import Decompressed

_CONFIG: ImageConfig = {"architecture": "amd64", "os": "linux", "config": {}}
_NAME = parse_reference("made:1")


def _layer(store: Store, base: Layers, text: str) -> Layers:
    drafts = Drafts(store.snapshots, store.database)
    with drafts.draft(base) as draft:
        (draft.upper / "f").write_text(text)
        return drafts.keep(draft, unrecorded)


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


def test_a_layer_that_changed_is_not_taken(store: Store) -> None:
    async def main() -> None:
        await store.images.start()
        layer = _layer(store, Layers(), "1")
        (store.snapshots.lower_dirs(layer.chain_id)[0] / "f").write_text("2")

        with pytest.raises(DataLoss, match="is not what it was"):
            await store.images.layers.assemble(_CONFIG, layer.chain_id, [_NAME])

    asyncio.run(main())
