"""The machine stops before what was written is on the disk: an engine's next start trusts nothing of that."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os

import pytest
from tests.root.images.conftest import Store, imported, tar
from tests.root.images.test_check import check, damage, layer_blob, stocked

from wharf.build.operations.results import Layers
from wharf.build.operations.store import Store as Drafts
from wharf.build.operations.store import unrecorded
from wharf.errors import Unavailable
from wharf.lib.digest import Digest
from wharf.storage.unsettled import Suspects

pytestmark = pytest.mark.root


def power_failure(store: Store) -> None:
    """Let what is noted be another kernel's."""
    with store.database.transaction() as db:
        assert db.execute("UPDATE unsettled SET boot_id = 'before'").rowcount > 0


def built(store: Store, content: str) -> str:
    drafts = Drafts(store.snapshots, store.database)
    with drafts.draft(Layers()) as draft:
        with drafts.change(draft) as root, open(f"/proc/self/fd/{root}/f", "w") as file:
            file.write(content)
        return drafts.keep(draft, unrecorded).chain_id


def test_a_layer_whose_files_are_lost_is_unpacked_again(store: Store) -> None:
    record = stocked(store)
    top = store.snapshots.lower_dirs(record.chain_id)[0]
    os.truncate(top / "d/f", 0)
    power_failure(store)
    asyncio.run(store.reopen())

    assert (top / "d/f").read_bytes() == b"1" * 5000
    assert check(store) == []
    assert store.snapshots.unsettled.suspects() == Suspects()
    assert list(store.data.ingest.iterdir()) == []


def test_a_layer_that_a_full_disk_keeps_from_being_unpacked_waits_for_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    record = stocked(store)
    top = store.snapshots.lower_dirs(record.chain_id)[0]
    os.truncate(top / "d/f", 0)
    power_failure(store)
    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr("wharf.images.intake.unpack_layer", full)
            asyncio.run(store.reopen())
        with pytest.raises(Unavailable, match="make room on the disk, and start the engine again"):
            store.snapshots.lower_dirs(record.chain_id)

    asyncio.run(store.reopen())
    assert (store.snapshots.lower_dirs(record.chain_id)[0] / "d/f").read_bytes() == b"1" * 5000
    assert store.snapshots.unsettled.suspects() == Suspects()


def test_an_image_whose_blob_is_lost_is_loaded_again_and_spoils_no_other(store: Store) -> None:
    record = stocked(store)
    asyncio.run(imported(store, tar(other=b"x"), "b"))
    os.truncate(store.content.path(layer_blob(record)), 0)
    power_failure(store)
    asyncio.run(store.reopen())

    assert store.content.exists(record.manifest_digest)
    assert not store.content.exists(layer_blob(record))
    assert not store.snapshots.exists(record.chain_id)
    assert store.snapshots.exists(store.images.resolve("b").chain_id)

    asyncio.run(imported(store, gzip.compress(tar(d__f=b"1" * 5000, g=b"2"), mtime=0), "a"))
    again = store.images.resolve("a")
    assert (store.snapshots.lower_dirs(again.chain_id)[0] / "d/f").read_bytes() == b"1" * 5000
    assert store.content.exists(layer_blob(again))


def test_an_engine_that_was_killed_trusts_what_it_finds(store: Store) -> None:
    record = stocked(store)
    damage(store.content.path(layer_blob(record)))
    asyncio.run(store.reopen())

    assert store.content.exists(layer_blob(record)), "a start reads no blob without a reason"


@pytest.mark.parametrize("lost", [True, False])
def test_a_layer_of_a_build_is_kept_where_its_files_are_what_it_packed(store: Store, lost: bool) -> None:
    made = Digest(built(store, "1" * 5000))
    with store.images.hold_layers(made):
        if lost:
            os.truncate(store.snapshots.lower_dirs(made)[0] / "f", 0)
        power_failure(store)
        with store.database.transaction() as db:  # a start removes what nothing refers to
            db.execute("INSERT INTO build_cache VALUES ('k', ?, 0, 0, 0, '')", (made,))
        asyncio.run(store.reopen())

    assert store.snapshots.exists(made) is not lost
    assert store.snapshots.unsettled.suspects() == Suspects()
