from __future__ import annotations

import asyncio
import json

from tests.root.images.conftest import Store, imported, tar


def test_an_image_is_read_as_it_is_stored(store: Store) -> None:
    async def main() -> None:
        await store.images.start()
        await imported(store, tar(f=b"x"), "made")
        record = store.images.resolve("made")
        stored = store.images.stored(record)
        manifest = json.loads(await stored.manifest())
        assert stored.name == "made:latest"
        assert json.loads(await stored.document(manifest["config"]))["rootfs"]["diff_ids"] == record.diff_ids
        data = b"".join([piece async for piece in stored.read(manifest["layers"][0])])
        assert len(data) == manifest["layers"][0]["size"]

    asyncio.run(main())
