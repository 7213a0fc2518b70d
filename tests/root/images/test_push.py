"""What is sent for a name."""

from __future__ import annotations

import asyncio

import pytest
from tests.root.images.conftest import Store, imported, loaded, tar
from tests.root.images.test_indexes import OTHER, two_platforms

from wharf.images.catalog import Catalog
from wharf.images.lookup import Named
from wharf.images.push import plan_push
from wharf.lib.digest import Digest, digest_of
from wharf.lib.reference import parse_reference

pytestmark = pytest.mark.root


def named(store: Store, name: str) -> Named:
    catalog = Catalog(store.database, store.content, store.snapshots)
    catalog.load("2023-11-14T22:13:20Z")
    found = catalog.named_target(parse_reference(name).with_default_tag())
    assert found is not None
    return found


def test_an_image_is_its_layers_its_configuration_and_its_manifest(store: Store) -> None:
    asyncio.run(imported(store, tar(f=b"1"), "a"))
    record = store.images.resolve("a")
    parcel = plan_push(store.content, named(store, "a"))

    assert [blob["digest"] for blob in parcel.blobs] == [record.manifest["layers"][0]["digest"], record.id]
    assert (parcel.manifests, digest_of(parcel.top), parcel.partial) == ((), record.manifest_digest, False)


def test_an_index_goes_with_all_it_lists(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))
    parcel = plan_push(store.content, named(store, "many:1"))

    sent = {blob["digest"] for blob in parcel.blobs} | {digest_of(raw) for raw in parcel.manifests}
    assert sent | {digest_of(parcel.top)} == set(layout.blobs)
    assert digest_of(parcel.top) == index["digest"]


def test_one_image_goes_alone_when_not_all_of_its_index_is_here(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))
    other = store.images.resolve("many:1", f"linux/{OTHER}")
    store.content.delete(Digest(other.manifest["layers"][0]["digest"]))
    parcel = plan_push(store.content, named(store, "many:1"))

    assert (digest_of(parcel.top), parcel.partial) == (store.images.resolve("many:1").manifest_digest, True)
