from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.media_types import refuse_schema_1, require_image
from wharf.lib.digest import digest_of
from wharf.spec.oci_image import DOCKER_CONFIG, DOCKER_LAYER_GZIP, OCI_CONFIG, OCI_LAYER_GZIP, Manifest


def manifest(layer: str, config: str = OCI_CONFIG, **more: str) -> Manifest:
    document: Manifest = {
        "config": {"mediaType": config, "digest": digest_of(b"c")},
        "layers": [{"mediaType": layer, "digest": digest_of(b"l")}],
    }
    return {**document, **more}  # type: ignore[typeddict-item]  # any field


@pytest.mark.parametrize(("layer", "config"), [(OCI_LAYER_GZIP, OCI_CONFIG), (DOCKER_LAYER_GZIP, DOCKER_CONFIG)])
def test_images_of_both_kinds_are_taken(layer: str, config: str) -> None:
    require_image(manifest(layer, config), "a")


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "is foreign"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "is foreign"),
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "is encrypted"),
    ],
)
def test_layers_that_cannot_be_had_are_refused_by_what_they_are(layer: str, words: str) -> None:
    with pytest.raises(NotImplementedHere, match=words):
        require_image(manifest(layer), "a")


def test_an_artifact_is_refused_by_its_type() -> None:
    with pytest.raises(InvalidArgument, match=r"a is not an image but an artifact of type application/vnd\.x"):
        require_image(manifest(OCI_LAYER_GZIP, "application/vnd.x"), "a")
    with pytest.raises(InvalidArgument, match=r"text/plain, which is no image's"):
        require_image(manifest("text/plain"), "a")


def test_schema_1_is_refused() -> None:
    with pytest.raises(NotImplementedHere, match="manifest schema 1"):
        refuse_schema_1("application/vnd.docker.distribution.manifest.v1+prettyjws", None, "a")
    with pytest.raises(NotImplementedHere, match="manifest schema 1"):
        refuse_schema_1("", 1, "a")
    refuse_schema_1("application/json", 2, "a")
