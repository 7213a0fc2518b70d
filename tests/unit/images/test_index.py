from __future__ import annotations

import json

import pytest

from wharf.errors import InvalidArgument
from wharf.images.index import attestations_of, images_in, is_index, parse_index
from wharf.lib.digest import digest_of
from wharf.spec.oci_image import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST

_IMAGE = {
    "mediaType": OCI_MANIFEST,
    "digest": digest_of(b"i"),
    "size": 1,
    "platform": {"os": "linux", "architecture": "s390x"},
}
_ATTESTATION = {
    "mediaType": OCI_MANIFEST,
    "digest": digest_of(b"a"),
    "size": 1,
    "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": digest_of(b"i"),
    },
}
_ARTIFACT = {"mediaType": OCI_MANIFEST, "digest": digest_of(b"x"), "size": 1, "artifactType": "application/x"}


def raw(*manifests: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()


def test_images_are_told_from_attestations_and_artifacts() -> None:
    index = parse_index(raw(_IMAGE, _ATTESTATION, _ARTIFACT))

    assert [one["digest"] for one in images_in(index)] == [digest_of(b"i")]
    assert [one["digest"] for one in attestations_of(index, digest_of(b"i"))] == [digest_of(b"a")]


@pytest.mark.parametrize("text", [b"", b"[]", b'{"manifests":{}}', b'{"manifests":[{"digest":"x"}]}', b'{"a":'])
def test_what_is_no_index_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidArgument, match=r"invalid (image index|digest)"):
        parse_index(text)


def test_an_index_is_told_from_a_manifest() -> None:
    assert is_index(raw())
    assert is_index(b'{"manifests":[]}')
    assert is_index(b"{}", DOCKER_INDEX)
    assert not is_index(b'{"config":{},"layers":[]}')
    assert not is_index(b"{}", OCI_MANIFEST)
