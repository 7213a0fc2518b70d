"""What every Snapshotter does; a test module calls these with its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from wharf.errors import Conflict, DataLoss
from wharf.lib.digest import Digest, chain_ids, digest_of
from wharf.storage.snapshotter import Snapshotter

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]


class SnapshotterContract:
    """Inherit it, and provide the fixtures ``snapshotter`` and ``transaction``."""

    def add(self, snapshotter: Snapshotter, transaction: Transaction, *names: str) -> list[Digest]:
        """Commit one layer a name, each on the one before, with one file of that name and content."""
        diff_ids = [digest_of(name.encode()) for name in names]
        chain = chain_ids(diff_ids)
        parent = None
        for name, diff_id, chain_id in zip(names, diff_ids, chain, strict=True):
            with snapshotter.stage() as stage:
                (stage.path / name).write_text(name)
                snapshotter.adopt(stage, chain_id)
            with transaction() as db:
                snapshotter.record(db, chain_id, parent=parent, diff_id=diff_id, size_bytes=len(name))
            parent = chain_id
        return chain

    def test_a_stage_that_is_not_adopted_goes(self, snapshotter: Snapshotter) -> None:
        with snapshotter.stage() as stage:
            path = stage.path
            (path / "f").write_text("x")

        assert not path.exists()

    def test_layers_are_given_uppermost_first(self, snapshotter: Snapshotter, transaction: Transaction) -> None:
        chain = self.add(snapshotter, transaction, "a", "b", "c")

        assert [next(p.iterdir()).name for p in snapshotter.lower_dirs(chain[-1])] == ["c", "b", "a"]

    def test_no_layer_has_no_folders(self, snapshotter: Snapshotter) -> None:
        assert snapshotter.lower_dirs("") == []

    def test_a_missing_layer_is_data_loss(self, snapshotter: Snapshotter) -> None:
        with pytest.raises(DataLoss, match="missing from the snapshots"):
            snapshotter.lower_dirs(digest_of(b"nothing"))

    def test_a_layer_that_exists_is_kept(self, snapshotter: Snapshotter, transaction: Transaction) -> None:
        [first] = self.add(snapshotter, transaction, "a")
        with snapshotter.stage() as stage:
            (stage.path / "other").write_text("x")
            snapshotter.adopt(stage, first)

        assert [p.name for p in snapshotter.lower_dirs(first)[0].iterdir()] == ["a"]

    def test_a_layer_below_another_cannot_be_removed(
        self, snapshotter: Snapshotter, transaction: Transaction
    ) -> None:
        lower, upper = self.add(snapshotter, transaction, "a", "bb")
        with pytest.raises(Conflict):
            snapshotter.remove(lower)

        assert (snapshotter.remove(upper), snapshotter.remove(lower), snapshotter.remove(lower)) == (2, 1, 0)

    def test_a_containers_layer_is_made_once_and_discarded(self, snapshotter: Snapshotter) -> None:
        snapshotter.prepare("c")
        with pytest.raises(Conflict):
            snapshotter.prepare("c")
        snapshotter.discard("c")
        snapshotter.discard("c")

        snapshotter.prepare("c")
        assert snapshotter.size_of("c") == 0
