"""What a check of the store finds, what it mends, and what a pull fetches again."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path

import pytest
from tests.fakes.registry import FakeRegistry
from tests.root.images.conftest import Store, imported, tar
from tests.root.images.test_pull import fetched, pull, stock

from wharf.build.operations.results import Layers
from wharf.build.operations.store import Store as Drafts
from wharf.build.operations.store import unrecorded
from wharf.images.check import Depth, Finding
from wharf.images.record import ImageRecord
from wharf.lib.digest import Digest

pytestmark = pytest.mark.root


def check(store: Store, *, quick: bool = False, repair: bool = False) -> list[Finding]:
    async def gather() -> list[Finding]:
        return [finding async for finding in store.images.check(Depth(quick=quick, repair=repair))]

    return asyncio.run(gather())


def stocked(store: Store) -> ImageRecord:
    async def fill() -> ImageRecord:
        await store.images.start()
        await imported(store, gzip.compress(tar(d__f=b"1" * 5000, g=b"2")), "a")
        return store.images.resolve("a")

    return asyncio.run(fill())


def layer_blob(record: ImageRecord) -> Digest:
    return Digest(record.manifest["layers"][0]["digest"])


def damage(path: Path) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))


def kinds(findings: list[Finding]) -> list[tuple[str, bool]]:
    return [(finding.kind, finding.repaired) for finding in findings]


def test_a_whole_store_has_nothing_wrong(store: Store) -> None:
    stocked(store)

    assert check(store) == []
    assert store.leftovers() == check_leaves(store)


def check_leaves(store: Store) -> list[str]:
    """What the one image has on the disk, and nothing besides."""
    names = {f"content/blobs/sha256/{digest.partition(':')[2]}" for digest in store.content.digests()}
    for layer in store.data.snapshots.iterdir():
        names |= {str(path.relative_to(store.data.path)) for path in (layer, *layer.rglob("*"))}
    return sorted(names)


def test_a_blob_whose_bytes_changed_is_found_and_removed(store: Store) -> None:
    blob = layer_blob(stocked(store))
    damage(store.content.path(blob))

    assert check(store, quick=True) == []
    assert [(one.kind, one.subject) for one in check(store)] == [("blob", blob)]
    assert kinds(check(store, repair=True)) == [("blob", True), ("image", False)]
    assert [one.problem for one in check(store)] == [f"blob {blob} is missing"]


def test_a_blob_that_was_cut_is_found_without_reading_it(store: Store) -> None:
    blob = layer_blob(stocked(store))
    os.truncate(store.content.path(blob), 3)

    assert "has 3 bytes" in check(store, quick=True)[0].problem


@pytest.mark.parametrize("change", ["content", "missing", "too much", "folder"])
def test_a_layer_that_changed_on_the_disk_is_unpacked_again(store: Store, change: str) -> None:
    top = store.snapshots.lower_dirs(stocked(store).chain_id)[0]
    if change == "content":
        damage(top / "d/f")
    elif change == "missing":
        (top / "g").unlink()
    elif change == "too much":
        (top / "h").touch()
    else:
        (top.parent / "fs").rename(store.data.path / "away")

    [found] = check(store)
    assert (found.kind, found.repaired) == ("layer", False)
    assert kinds(check(store, repair=True)) == [("layer", True)]
    assert check(store) == []
    assert (top / "d/f").read_bytes() == b"1" * 5000
    assert list(store.data.ingest.iterdir()) == []


def test_an_image_whose_configuration_is_gone_spoils_no_other(store: Store) -> None:
    record = stocked(store)
    asyncio.run(imported(store, tar(other=b"x"), "b"))
    store.content.delete(record.id)
    asyncio.run(store.reopen())

    assert [one["RepoTags"] for one in asyncio.run(store.images.list())] == [["b:latest"]]
    assert store.content.exists(layer_blob(record))
    assert kinds(check(store)) == [("image", False)]
    assert kinds(check(store, repair=True))[0] == ("image", True)
    asyncio.run(store.reopen())
    assert check(store) == []
    assert not store.content.exists(layer_blob(record))


def test_a_damaged_index_json_is_written_again(store: Store) -> None:
    stocked(store)
    (store.data.content / "index.json").write_text("{}")

    assert kinds(check(store, repair=True)) == [("index", True)]
    assert check(store) == []


def test_what_nothing_refers_to_is_told_as_harmless(store: Store) -> None:
    stocked(store)
    store.content.add(b"nobody's")
    (store.data.snapshots / ("0" * 64)).mkdir()

    assert [(one.kind, one.harmless) for one in check(store)] == [("garbage", True), ("garbage", True)]


def test_a_pull_fetches_what_a_check_removed_and_nothing_else(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake)
    asyncio.run(store.images.start())
    pull(store, fake)
    asyncio.run(store.reopen())
    record = store.images.resolve(f"{fake.address}/repo:1")
    damage(store.content.path(Digest(record.manifest["layers"][1]["digest"])))
    damage(store.content.path(record.id))
    check(store, repair=True)
    fake.asked.clear()
    statuses = pull(store, fake)

    assert (statuses.count("Already exists"), statuses.count("Pull complete")) == (2, 1)
    assert len(fetched(fake)) == 2
    asyncio.run(store.reopen())
    assert check(store) == []


def test_a_layer_that_a_build_made_is_measured_though_it_has_no_blob(store: Store) -> None:
    drafts = Drafts(store.snapshots, store.database)
    with drafts.draft(Layers()) as draft:
        with drafts.change(draft) as root, open(f"/proc/self/fd/{root}/f", "w") as file:
            file.write("1" * 5000)
        made = drafts.keep(draft, unrecorded)
    assert check(store) == []
    damage(store.snapshots.lower_dirs(made.chain_id)[0] / "f")

    assert check(store, quick=True) == []
    [found] = check(store)
    assert (found.kind, found.subject, found.repaired) == ("layer", made.chain_id, False)
    assert found.problem == "its files are not those that its build made"
