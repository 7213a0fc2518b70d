from __future__ import annotations

import base64
import json

import msgspec
import pytest

from wharf.build.caches.config import Kept, encode, inline, record_digest
from wharf.build.caches.manifest import Form, config_of, images_of, inline_results_of, results_of, written
from wharf.errors import InvalidArgument
from wharf.spec.oci_image import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST, Descriptor

A, B = (f"sha256:{letter * 64}" for letter in "ab")
DIFF = [f"sha256:{digit * 64}" for digit in "12"]
LAYERS: list[Descriptor] = [
    {"mediaType": "m", "digest": blob, "size": 1, "annotations": {"containerd.io/uncompressed": diff_id}}
    for blob, diff_id in zip((A, B), DIFF, strict=True)
]
CONFIG = msgspec.json.encode(encode([Kept(("k#0",), "top")], {"top": [A, B]}))


@pytest.mark.parametrize(
    ("form", "media_type"),
    [(Form(), OCI_MANIFEST), (Form(image_manifest=False), OCI_INDEX), (Form(False, False), DOCKER_INDEX)],
)
def test_each_form_is_read_again(form: Form, media_type: str) -> None:
    raw = written(LAYERS, CONFIG, form)

    found = results_of(raw, CONFIG)

    assert json.loads(raw)["mediaType"] == media_type
    assert (config_of(raw) or {}).get("size") == len(CONFIG)
    assert [layer.diff_id for layer in found[record_digest("k#0")]] == DIFF


def test_results_whose_layers_cannot_be_had_are_none() -> None:
    assert results_of(written(LAYERS[:1], CONFIG, Form()), CONFIG) == {}
    nameless: Descriptor = {"digest": B, "size": 1}
    assert results_of(written([LAYERS[0], nameless], CONFIG, Form()), CONFIG) == {}


def _image(cache: object, diff_ids: list[str] = DIFF) -> tuple[bytes, bytes]:
    config = {"os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}, "moby.buildkit.cache.v0": cache}
    manifest = {"config": {"digest": A, "mediaType": "c"}, "layers": [{"digest": one} for one in (A, B)]}
    return json.dumps(manifest).encode(), json.dumps(config).encode()


def test_an_image_says_how_it_was_made() -> None:
    records = base64.b64encode(msgspec.json.encode(inline([Kept(("k#0",), "one")], ["one", "two"]))).decode()

    found = inline_results_of(*_image(records))

    assert [layer.descriptor["digest"] for layer in found[record_digest("k#0")]] == [A]
    assert inline_results_of(*_image(None)) == {}
    assert config_of(_image(records)[0]) is None
    assert images_of(_image(records)[0]) == []


def test_an_image_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="base64"):
        inline_results_of(*_image("?"))
    with pytest.raises(InvalidArgument, match="does not list"):
        inline_results_of(*_image(base64.b64encode(b'[{"digest":"x"}]').decode(), DIFF[:1]))
