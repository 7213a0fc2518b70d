"""Layers that a driver keeps as they come: the contract on one, and images whose layers are not unpacked."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.storage.snapshotter import SnapshotterContract
from tests.root.images.conftest import Store, imported, saved, tar
from tests.root.storage.indexing import IndexedRoots
from tests.root.storage.roots.conftest import made, mounted, opened, transaction

from wharf.build.operations.results import Layers
from wharf.build.operations.store import Store as Drafts
from wharf.build.operations.store import unrecorded
from wharf.errors import InvalidArgument
from wharf.images.check import Depth
from wharf.storage.snapshots import Snapshots
from wharf.storage.unpacking.workers import LEAST_BYTES

__all__ = ["mounted", "opened", "transaction"]
pytestmark = pytest.mark.root


@pytest.fixture
def snapshotter(tmp_path: Path) -> Iterator[Snapshots]:
    with made(IndexedRoots(), tmp_path / "root") as snapshots:
        yield snapshots


class TestIndexedRoots(SnapshotterContract):
    """The contract's tests, of layers that were made here."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "root", IndexedRoots())
    yield store
    store.database.close()


def _layers(store: Store) -> list[Path]:
    return sorted(store.data.snapshots.iterdir())


def test_an_image_comes_in_and_goes_out_again_without_being_unpacked(store: Store) -> None:
    # Large enough that it is read while it is still being written.
    content = random.Random(1).randbytes(LEAST_BYTES)
    archive = gzip.compress(tar(d__f=b"one", large=content), 1)

    async def main() -> bytes:
        await imported(store, archive, "app")
        assert [image["Size"] for image in await store.images.list()] == [3 + len(content)]
        return await saved(store, "app")

    out = asyncio.run(main())
    [layer] = _layers(store)

    assert sorted(os.listdir(layer)) == ["fs", "index.json", "layer.tar"]
    assert os.listdir(layer / "fs") == []
    assert json.loads((layer / "index.json").read_text()) == {"d/f": 3, "large": len(content)}
    assert hashlib.sha256(archive).hexdigest().encode() in out


def test_its_files_show_when_they_are_asked_for(store: Store) -> None:
    asyncio.run(imported(store, tar(a=b"1", b=b"2"), "app"))
    base = Layers(store.images.resolve("app").chain_id)
    assert not (_layers(store)[0] / "shown").exists()
    drafts = Drafts(store.snapshots, store.database)
    with drafts.draft(base) as draft:
        with drafts.change(draft) as root:
            assert sorted(os.listdir(root)) == ["a", "b"]
            os.unlink("a", dir_fd=root)
        made = drafts.keep(draft, unrecorded)
    with drafts.open(made) as shown:
        assert shown is not None
        assert os.listdir(shown) == ["b"]


def test_a_damaged_layer_is_found_and_made_again_from_its_blob(store: Store) -> None:
    async def check(depth: Depth) -> list[str]:
        return [found.problem async for found in store.images.check(depth)]

    async def main() -> list[list[str]]:
        await imported(store, tar(a=b"1"), "app")
        [layer] = _layers(store)
        checks = [await check(Depth())]
        (layer / "shown/a").write_text("2")
        return [*checks, await check(Depth(repair=True)), await check(Depth())]

    assert asyncio.run(main()) == [[], ["'a' has another content"], []]


def test_an_archive_that_is_refused_leaves_nothing(store: Store) -> None:
    with pytest.raises(InvalidArgument, match="corrupt archive"):
        asyncio.run(imported(store, tar(a=b"1" * 600)[:700], "app"))

    assert (_layers(store), os.listdir(store.data.ingest)) == ([], [])
