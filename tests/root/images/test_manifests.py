"""What a name leads to, manifest by manifest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.root.images.conftest import Store, imported, loaded, tar
from tests.root.images.test_indexes import OTHER, two_platforms

from wharf.images.manifests import Shown
from wharf.images.origins import Origins
from wharf.images.platform import host
from wharf.spec.engine_api.image import ImageManifestSummary
from wharf.spec.oci_image import OCI_INDEX, OCI_MANIFEST

pytestmark = pytest.mark.root


def containers(image_id: str) -> Sequence[str]:
    return ["c1"]


def manifests(store: Store) -> list[ImageManifestSummary]:
    [found] = asyncio.run(store.images.list(manifests=Shown(containers)))
    return found["Manifests"]


def test_an_index_shows_each_platform_and_what_attests_to_it(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))

    other, own, attested = manifests(store)
    assert [one["Kind"] for one in (other, own, attested)] == ["image", "image", "attestation"]
    assert [one["ImageData"]["Platform"].get("architecture") for one in (other, own)] == [OTHER, host().architecture]
    assert attested["AttestationData"] == {"For": own["ID"]}
    assert own["Available"]
    assert own["ImageData"]["Containers"] == ["c1"]
    unpacked = own["ImageData"]["Size"]["Unpacked"]
    assert own["Size"]["Total"] == own["Size"]["Content"] + unpacked > unpacked == len(b"own")


def test_what_is_not_here_of_an_index_is_shown_as_missing(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))
    asyncio.run(store.images.remove("many:1", platforms=[f"linux/{OTHER}"]))

    assert {one["ImageData"]["Platform"].get("architecture"): one["Available"] for one in manifests(store)[:2]} == {
        OTHER: False,
        host().architecture: True,
    }
    assert manifests(store)[0]["Size"] == {"Content": 0, "Total": 0}


def test_an_image_of_its_own_is_its_one_manifest(store: Store) -> None:
    asyncio.run(imported(store, tar(f=b"12"), "one:1"))

    found = asyncio.run(store.images.inspect("one:1", manifests=Shown(containers)))
    [only] = found["Manifests"]
    assert found["Descriptor"]["mediaType"] == OCI_MANIFEST
    assert "annotations" not in found["Descriptor"]
    assert (only["ID"], only["Kind"], only["Available"]) == (found["Descriptor"]["digest"], "image", True)


def test_a_descriptor_is_that_of_the_index(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))

    descriptor = asyncio.run(store.images.inspect("many:1", manifests=Shown(containers)))["Descriptor"]
    assert (descriptor["mediaType"], descriptor["digest"]) == (OCI_INDEX, index["digest"])
    assert "Manifests" not in asyncio.run(store.images.inspect("many:1"))


def test_where_an_image_came_from_is_told_of_each_platforms_when_that_is_asked_for(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))
    image = store.images.resolve("many:1")
    Origins(store.database).at_registry(image.id, "registry.test/many", "2026-01-01T00:00:00Z")

    [found] = asyncio.run(store.images.list(manifests=Shown(containers, identity=True)))
    other, own, attested = found["Manifests"]
    known = {"Pull": [{"Repository": "registry.test/many"}]}
    assert [one["ImageData"].get("Identity") for one in (other, own)] == [known, known]
    assert "ImageData" not in attested
    assert all("Identity" not in one.get("ImageData", {}) for one in manifests(store))
    assert asyncio.run(store.images.inspect("many:1"))["Identity"] == known
