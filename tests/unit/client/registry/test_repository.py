from __future__ import annotations

import pytest
from tests.fakes.http_registry import HttpRegistry

from wharf.client.registry.repository import Refused, Repository
from wharf.errors import DataLoss, NotFound, Unavailable
from wharf.lib.digest import digest_of
from wharf.lib.reference import parse_reference

DATA = b"layer"
DIGEST = digest_of(DATA)


def repository(registry: HttpRegistry, path: str = "me/app") -> Repository:
    return Repository(parse_reference(f"{registry.address}/{path}:1"), {"DOCKER_CONFIG": "/nonexistent"})


def test_manifest_comes_with_its_type_and_is_what_its_digest_says(registry: HttpRegistry) -> None:
    registry.says("GET /v2/me/app/manifests/1", 200, b"{}", Content_Type="text/x; charset=utf-8")
    registry.says(f"GET /v2/me/app/manifests/{DIGEST}", 200, b"other")

    assert repository(registry).manifest("1") == ("text/x", b"{}")
    with pytest.raises(DataLoss, match="other bytes"):
        repository(registry).manifest(DIGEST)
    with pytest.raises(NotFound, match="me/app: manifest 2: status 404"):
        repository(registry).manifest("2")


@pytest.mark.parametrize(
    ("body", "size", "limit"), [(b"layeR", 5, 10), (b"layer!", 5, 10), (b"layer", 5, 4), (b"layer", -1, 10)]
)
def test_blob_that_is_not_what_its_descriptor_says_is_not_taken(
    registry: HttpRegistry, body: bytes, size: int, limit: int
) -> None:
    registry.says(f"GET /v2/me/app/blobs/{DIGEST}", 200, body)

    with pytest.raises((DataLoss, Unavailable)):
        repository(registry).blob(DIGEST, size, limit)
    assert len(registry.asked) == (0 if limit == 4 or size < 0 else 1)


def test_blob_is_pushed_once(registry: HttpRegistry) -> None:
    registry.says(f"HEAD /v2/me/app/blobs/{DIGEST}", 404)
    registry.says("POST /v2/me/app/blobs/uploads/", 202, Location="/up?state=1")
    registry.says(f"PUT /up?state=1&digest=sha256%3A{DIGEST[7:]}", 201)

    assert repository(registry).push(DATA) == DIGEST
    assert registry.bodies[-1] == DATA
    registry.says(f"HEAD /v2/me/app/blobs/{DIGEST}", 200)
    registry.answers[f"HEAD /v2/me/app/blobs/{DIGEST}"].pop(0)
    before = len(registry.asked)
    repository(registry).push(DATA)
    assert len(registry.asked) == before + 1


def test_blob_of_the_same_registry_is_mounted_and_else_carried(registry: HttpRegistry) -> None:
    mount = f"POST /v2/me/app/blobs/uploads/?mount=sha256%3A{DIGEST[7:]}&from=other"
    registry.says(f"HEAD /v2/me/app/blobs/{DIGEST}", 404)
    registry.says(mount, 201)
    repository(registry).copy_blob(repository(registry, "other"), DIGEST, 5)
    assert registry.asked[-1][0] == mount

    registry.answers[mount] = [(202, {}, b"")]
    registry.says(f"GET /v2/other/blobs/{DIGEST}", 200, DATA)
    registry.says("POST /v2/me/app/blobs/uploads/", 202, Location="/up")
    registry.says(f"PUT /up?digest=sha256%3A{DIGEST[7:]}", 201)
    repository(registry).copy_blob(repository(registry, "other"), DIGEST, 5)
    assert registry.bodies[-1] == DATA


def test_refusal_is_told_in_the_registrys_words(registry: HttpRegistry) -> None:
    said = b'{"errors": [{"code": "MANIFEST_INVALID", "message": "not such ones"}]}'
    registry.says("PUT /v2/me/app/manifests/1", 400, said)

    with pytest.raises(Refused, match="me/app: manifest 1: not such ones"):
        repository(registry).push_manifest("1", "text/x", b"{}")
