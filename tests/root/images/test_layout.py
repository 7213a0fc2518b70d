from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import Iterable

from tests.root.images.conftest import Store, loaded
from tests.root.images.test_packing import _layer

from wharf.build.operations.results import Layers
from wharf.images.image_set import Form, Part, Predicate, put_together
from wharf.images.layout import archive
from wharf.images.packing import Compression
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.oci_image import ImageConfig

CONFIG: ImageConfig = {"architecture": "amd64", "os": "linux", "config": {}}


def _archive(store: Store, parts: Iterable[ImageConfig], names: list[Reference]) -> bytes:
    layer = _layer(store, Layers(), "1")
    with store.images.layers.shelf(Compression("zstd")) as shelf:
        blobs = shelf.blobs(layer.chain_id)
        said = (Predicate("t", {}),)
        several = [Part(config, blobs, predicates=said) for config in parts]
        return b"".join(archive(put_together(several, Form(index=True)), names))


def test_an_archive_is_loaded_again_with_all_that_it_has(store: Store) -> None:
    names = [parse_reference("made:1"), parse_reference("made:2")]
    data = _archive(store, [CONFIG, {**CONFIG, "architecture": "arm64"}], names)

    async def main() -> None:
        await store.images.start()
        assert (await loaded(store, data))[:2] == ["Loaded image: made:1\n", "Loaded image: made:2\n"]
        assert store.images.resolve("made:2").config["architecture"] == "amd64"
        assert store.images.resolve("made:2", "linux/arm64").config["architecture"] == "arm64"

    asyncio.run(main())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert "manifest.json" not in tar.getnames()  # docker load before 25 knows one platform alone
        layout = json.load(tar.extractfile("oci-layout") or io.BytesIO())
    assert layout == {"imageLayoutVersion": "1.0.0"}


def test_one_image_is_for_old_tools_too(store: Store) -> None:
    data = _archive(store, [CONFIG], [parse_reference("made:1")])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        (image,) = json.load(tar.extractfile("manifest.json") or io.BytesIO())
        assert image["RepoTags"] == ["made:1"]
        assert {image["Config"], *image["Layers"]} <= set(tar.getnames())
