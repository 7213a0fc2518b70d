from __future__ import annotations

import json
from pathlib import Path

from wharf.images.image_set import ATTESTATION, IN_TOTO, Form, ImageSet, Part, Predicate, purl, put_together
from wharf.images.packing import Blob
from wharf.images.platform import parse_platform
from wharf.lib.digest import Digest, digest_of
from wharf.lib.reference import parse_reference
from wharf.spec.oci_image import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, ImageConfig

CONFIG: ImageConfig = {"architecture": "amd64", "os": "linux", "config": {}}
BLOB = Blob({"mediaType": "m", "digest": f"sha256:{'a' * 64}", "size": 1}, Digest(f"sha256:{'1' * 64}"), 7, Path("x"))
NAME = parse_reference("made:1")


def _index(images: ImageSet) -> list[dict[str, object]]:
    found = json.loads(images.raw)["manifests"]
    assert isinstance(found, list)
    return found


def test_one_image_is_a_manifest() -> None:
    images = put_together([Part(CONFIG, [BLOB], annotations={"k": "v"})], Form())
    manifest = json.loads(images.raw)
    assert (manifest["mediaType"], manifest["annotations"]) == (OCI_MANIFEST, {"k": "v"})
    assert json.loads(images.members[0].config)["rootfs"]["diff_ids"] == [BLOB.diff_id]
    assert (images.is_index, images.manifests, images.blobs) == (False, [], [BLOB])
    assert images.top["digest"] == digest_of(images.raw)


def test_several_are_an_index() -> None:
    arm = Part(
        {**CONFIG, "architecture": "arm64"},
        [BLOB],
        parse_platform("linux/arm64/v8"),
        descriptor_annotations={"d": "1"},
    )
    images = put_together([Part(CONFIG, [BLOB]), arm], Form(index=True, annotations={"i": "2"}))
    first, second = _index(images)
    assert (first["platform"], second["platform"]) == (
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    )
    assert (second["annotations"], json.loads(images.raw)["annotations"]) == ({"d": "1"}, {"i": "2"})
    assert (len(images.manifests), images.blobs, images.top["mediaType"]) == (2, [BLOB], OCI_INDEX)


def test_dockers_media_types() -> None:
    images = put_together([Part(CONFIG, [BLOB])], Form(oci=False, index=True))
    assert (images.top["mediaType"], _index(images)[0]["mediaType"]) == (DOCKER_INDEX, DOCKER_MANIFEST)


def test_what_attests_to_an_image_stands_beside_it() -> None:
    part = Part(CONFIG, [BLOB], predicates=(Predicate("https://type", {"said": 1}),))
    images = put_together([part], Form(), [NAME])
    image, about = _index(images)
    assert about["annotations"] == {
        "vnd.docker.reference.digest": image["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    }
    assert about["platform"] == {"architecture": "unknown", "os": "unknown"}
    (attached,) = images.attached
    layer = json.loads(attached.manifest)["layers"][0]
    statement = next(data for data in attached.blobs if digest_of(data) == layer["digest"])
    assert (layer["mediaType"], layer["annotations"]) == (IN_TOTO, {"in-toto.io/predicate-type": "https://type"})
    told = json.loads(statement)
    assert (told["predicateType"], told["predicate"]) == ("https://type", {"said": 1})
    assert told["subject"] == [
        {"name": "pkg:docker/made@1?platform=linux%2Famd64", "digest": {"sha256": str(image["digest"])[7:]}}
    ]


def test_attestations_may_be_artifacts() -> None:
    part = Part(CONFIG, [BLOB], predicates=(Predicate("t", None),))
    images = put_together([part], Form(artifact=True))
    manifest = json.loads(images.attached[0].manifest)
    assert (manifest["artifactType"], manifest["subject"]["digest"]) == (ATTESTATION, _index(images)[0]["digest"])
    assert b"{}" in images.small_blobs


def test_package_urls() -> None:
    platform = parse_platform("linux/arm/v7")
    document = {"os": platform.os, "architecture": platform.architecture, "variant": platform.variant}
    assert purl(parse_reference("host:5000/a/b:1"), document) == (  # type: ignore[arg-type]  # the same keys
        "pkg:docker/host%3A5000/a/b@1?platform=linux%2Farm%2Fv7"
    )
    assert purl(parse_reference("x/y"), {"os": "linux"}) == "pkg:docker/x/y@latest?platform=linux"
