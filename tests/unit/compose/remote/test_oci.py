from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.http_registry import http_registry

from wharf.compose.load.located import ComposeError
from wharf.compose.remote.oci import (
    EMPTY_CONFIG,
    ENV_FILE,
    FILE,
    PROJECT,
    Layer,
    bring_artifact,
    layers_of,
    project_in,
)
from wharf.lib.digest import digest_of


def layer(name: str, kind: str = FILE, *, extends: bool = False) -> dict[str, Any]:
    key = "com.docker.compose.envfile" if kind == ENV_FILE else "com.docker.compose.file"
    more = {"com.docker.compose.extends": "true"} if extends else {}
    return {"mediaType": kind, "digest": f"sha256:{name}", "size": 1, "annotations": {key: name, **more}}


def manifest(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"artifactType": PROJECT, "layers": list(layers), **more}


def test_files_of_an_artifact_are_named() -> None:
    found = layers_of(
        manifest(layer("app.yml"), layer("over.yml"), layer("base.yaml", extends=True), layer("a.env", ENV_FILE),
                 {"mediaType": "other"}), "x",
    )  # fmt: skip

    assert [one.name for one in found] == ["compose.yaml", "compose.yaml", "base.yaml", "a.env"]
    assert found[0] == Layer("compose.yaml", "sha256:app.yml", 1)
    old = {"config": {"mediaType": EMPTY_CONFIG}, "layers": [layer("a")]}
    assert [one.name for one in layers_of(old, "x")] == ["compose.yaml"]


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/b", "a\\b", "", ".", "..", "a\0b", "x" * 256])
@pytest.mark.parametrize("kind", [FILE, ENV_FILE])
def test_names_that_lead_elsewhere_are_refused(name: str, kind: str) -> None:
    with pytest.raises(ComposeError, match="invalid OCI artifact"):
        layers_of(manifest(layer("compose.yaml"), layer(name, kind, extends=True)), "x")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"config": {"mediaType": "application/x"}}, "is not a compose project OCI artifact"),
        ({}, "but an image"),
        (manifest(), "holds no Compose file"),
        (manifest(*[layer("a")] * 501), "more than 500 layers"),
    ],
)  # fmt: skip
def test_what_is_no_project_is_refused(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ComposeError, match=said):
        layers_of(document, "x")


def test_project_is_found_in_an_index() -> None:
    manifests = [{"digest": "a"}, {"digest": "b", "artifactType": PROJECT}]

    assert project_in({"manifests": manifests}) == "b"
    assert project_in({"manifests": manifests[:1]}) == ""


def test_an_index_that_names_its_project_by_no_digest_is_refused(tmp_path: Path) -> None:
    kind = "application/vnd.oci.image.index.v1+json"
    with http_registry() as registry:
        for name in ("latest", "sha256:abc"):
            data = json.dumps({"manifests": [{"digest": name, "artifactType": PROJECT}]}).encode()
            registry.answers["GET /v2/app/manifests/1"] = [(200, {"Content-Type": kind}, data)]
            with pytest.raises(ComposeError, match=f"refers to what is no digest: {name}"):
                bring_artifact(f"oci://{registry.address}/app:1", str(tmp_path), {"DOCKER_CONFIG": "/nonexistent"})
        assert {request for request, _ in registry.asked} == {"GET /v2/app/manifests/1"}
    assert os.listdir(tmp_path) == []


def test_artifact_is_fetched_once_and_what_it_lies_about_is_not_kept(tmp_path: Path) -> None:
    one, two = b"services: {}\n", b"name: two\n"
    layers = [{**layer("a"), "digest": digest_of(data), "size": len(data)} for data in (one, two)]
    data = json.dumps(manifest(*layers)).encode()
    with http_registry() as registry:
        address = f"oci://{registry.address}/app:1"
        registry.says("GET /v2/app/manifests/1", 200, data, Content_Type="application/vnd.oci.image.manifest.v1+json")
        registry.says(f"GET /v2/app/blobs/{digest_of(one)}", 200, one)
        registry.says(f"GET /v2/app/blobs/{digest_of(two)}", 200, b"name: bad\n")

        def bring() -> str:
            return bring_artifact(address, str(tmp_path), {"DOCKER_CONFIG": "/nonexistent"})

        with pytest.raises(Exception, match="other bytes"):
            bring()
        assert os.listdir(tmp_path) == []
        registry.answers[f"GET /v2/app/blobs/{digest_of(two)}"] = [(200, {}, two)]
        path = bring()
        asked = len(registry.asked)
        assert (bring(), len(registry.asked)) == (path, asked + 1)

    assert Path(path).read_bytes() == one + b"\n---\n" + two
    assert Path(path).parent.name == f"oci-{digest_of(data)[7:]}"
