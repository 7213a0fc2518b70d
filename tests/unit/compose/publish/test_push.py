from __future__ import annotations

import json

import pytest
from tests.fakes.http_registry import HttpRegistry, http_registry

from wharf.client.registry.repository import Refused, Repository
from wharf.compose.publish.artifact import EMPTY, Blob
from wharf.compose.publish.push import copy_image, push_application, push_artifact
from wharf.errors import DataLoss
from wharf.lib.digest import digest_of
from wharf.lib.reference import parse_reference

BLOB = Blob("x", b"data")
WHEN = "2026-01-01T00:00:00Z"


def repository(registry: HttpRegistry, path: str = "app") -> Repository:
    return Repository(parse_reference(f"{registry.address}/{path}:1"), {"DOCKER_CONFIG": "/nonexistent"})


def there(registry: HttpRegistry, *blobs: bytes) -> None:
    for data in blobs:
        registry.says(f"HEAD /v2/app/blobs/{digest_of(data)}", 200)


@pytest.mark.parametrize(
    ("version", "statuses", "types"),
    [("", [201], [True]), ("", [400, 201], [True, False]), ("1.0", [201], [False]), ("1.1", [201], [True])],
)
def test_registry_gets_the_format_that_it_takes(version: str, statuses: list[int], types: list[bool]) -> None:
    with http_registry() as registry:
        there(registry, EMPTY, BLOB.data)
        for status in statuses:
            registry.says("PUT /v2/app/manifests/1", status)
        data = push_artifact(repository(registry), [BLOB], version, WHEN)

    pushed = [body for body in registry.bodies if body]
    assert ["artifactType" in json.loads(body) for body in pushed] == types
    assert pushed[-1] == data


def test_registry_that_takes_none_is_told_of() -> None:
    with http_registry() as registry:
        there(registry, EMPTY, BLOB.data)
        registry.says("PUT /v2/app/manifests/1", 400)
        with pytest.raises(Refused):
            push_artifact(repository(registry), [BLOB], "", WHEN)


def test_images_of_several_platforms_are_copied_whole() -> None:
    image = json.dumps({"config": {"digest": digest_of(b"c"), "size": 1}, "layers": []}).encode()
    index = json.dumps({"mediaType": "text/i", "manifests": [{"digest": digest_of(image)}]}).encode()
    with http_registry() as registry:
        there(registry, b"c")
        registry.says("GET /v2/other/manifests/1", 200, index)
        registry.says(f"GET /v2/other/manifests/{digest_of(image)}", 200, image, Content_Type="text/m")
        for data in (image, index):
            registry.says(f"PUT /v2/app/manifests/{digest_of(data)}", 201)
        found = copy_image(repository(registry), repository(registry, "other"), "1")

        assert found == {"mediaType": "text/i", "digest": digest_of(index), "size": len(index)}
        assert [body for body in registry.bodies if body] == [image, index]


def test_application_is_an_index_of_its_images() -> None:
    image = json.dumps({"config": {"digest": digest_of(b"c"), "size": 1}, "layers": []}).encode()
    with http_registry() as registry:
        there(registry, b"c")
        registry.says("GET /v2/other/manifests/1", 200, image, Content_Type="text/m")
        registry.says(f"PUT /v2/app/manifests/{digest_of(image)}", 201)
        told: list[str] = []
        with pytest.raises(Exception, match="status 404"):
            push_application(repository(registry), b"{}", [(repository(registry, "other"), "1")], told.append)

        index = json.loads(registry.bodies[-1])
        assert [one["digest"] for one in index["manifests"]] == [digest_of(image)]
        assert told == [f"{registry.address}/other:1"]


def test_an_index_without_digests_is_damaged_and_nothing_more_is_asked_for() -> None:
    with http_registry() as registry:
        for entry in ({}, {"digest": "latest"}, {"digest": "sha256:abc"}):
            registry.answers["GET /v2/other/manifests/1"] = [(200, {}, json.dumps({"manifests": [entry]}).encode())]
            with pytest.raises(DataLoss, match="refers to what is no digest"):
                copy_image(repository(registry), repository(registry, "other"), "1")
        assert {request for request, _ in registry.asked} == {"GET /v2/other/manifests/1"}


def test_indexes_that_hold_each_other_end_somewhere() -> None:
    with http_registry() as registry:
        deep = b'{"config": {}, "layers": []}'
        for _ in range(5):
            digest = digest_of(deep)
            registry.says(f"GET /v2/other/manifests/{digest}", 200, deep)
            deep = json.dumps({"manifests": [{"digest": digest}]}).encode()
        registry.says("GET /v2/other/manifests/1", 200, deep)
        with pytest.raises(DataLoss, match="nested too deeply"):
            copy_image(repository(registry), repository(registry, "other"), "1")
