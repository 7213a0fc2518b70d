from __future__ import annotations

import asyncio
import json

from tests.root.images.conftest import Store, imported, loaded, tar
from tests.root.images.test_indexes import OTHER, two_platforms

from wharf.images.record import ImageRecord
from wharf.spec.engine_api.image import AttestationStatement


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


def test_what_is_attested_of_an_image_is_found_in_the_index_beside_it(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))
    own = store.images.resolve("many:1")
    other = store.images.resolve("many:1", f"linux/{OTHER}")
    indexes = {store.images.target(own, "many:1")}
    kind = "https://slsa.dev/provenance/v1"

    async def attested(image: ImageRecord, *types: str, whole: bool = False) -> list[AttestationStatement]:
        return await store.images.stored(image).attestations(indexes, types, whole=whole)

    async def main() -> None:
        [told] = await attested(own)
        assert (told["PredicateType"], told["Descriptor"]["mediaType"]) == (kind, "application/vnd.in-toto+json")
        assert await attested(own, kind, "another", whole=True) == [{**told, "Statement": {"_type": "statement"}}]
        assert [await attested(own, "another"), await attested(other)] == [[], []]
        assert await store.images.stored(own).attestations({own.manifest_digest}, (), whole=True) == []

    asyncio.run(main())
