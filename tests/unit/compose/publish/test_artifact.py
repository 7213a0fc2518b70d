from __future__ import annotations

import json

from wharf.compose.publish.artifact import application, layers, manifest
from wharf.compose.publish.bundle import Bundle
from wharf.compose.remote.oci import layers_of
from wharf.lib.digest import digest_of

BUNDLE = Bundle(
    [("a.yaml", "/p/a.yaml", "name: a\n"), ("b.yaml", "/p/b.yaml", "name: b\n")],
    {"x.yaml": "name: x\n"},
    {"v.env": "A=1\n"},
)
WHEN = "2026-01-01T00:00:00Z"


def test_what_is_published_is_what_is_read_again() -> None:
    blobs = layers(BUNDLE, variables=True, digests="services: {}\n")
    for version in ("1.0", "1.1"):
        document = json.loads(manifest(blobs, version, WHEN))
        found = layers_of(document, "x")
        assert [one.name for one in found] == ["compose.yaml", "compose.yaml", "x.yaml", "v.env", "compose.yaml"]
        assert [one.digest for one in found] == [digest_of(blob.data) for blob in blobs]

    assert len(layers(BUNDLE, variables=False)) == 3


def test_manifest_is_that_of_docker_compose() -> None:
    old, new = (json.loads(manifest([], version, WHEN)) for version in ("1.0", "1.1"))

    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert new["artifactType"] == "application/vnd.docker.compose.project"
    assert new["config"] == {
        "mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2, "data": "e30=",
    }  # fmt: skip
    assert old["config"] == {
        "mediaType": "application/vnd.docker.compose.config.empty.v1+json", "digest": empty, "size": 2,
    }  # fmt: skip
    assert "artifactType" not in old
    assert new["annotations"] == {"org.opencontainers.image.created": WHEN}


def test_application_points_to_its_project() -> None:
    document = json.loads(application([{"digest": "i"}], b"manifest"))

    assert (document["manifests"], document["subject"]["digest"]) == ([{"digest": "i"}], digest_of(b"manifest"))
