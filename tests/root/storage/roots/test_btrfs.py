from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.storage.snapshotter import SnapshotterContract, Transaction
from tests.root.storage.roots.conftest import made

from wharf.errors import NotImplementedHere
from wharf.storage import trees
from wharf.storage.roots.btrfs import BtrfsRoots
from wharf.storage.snapshots import Snapshots

pytestmark = pytest.mark.root


@pytest.fixture
def snapshotter(on_btrfs: Path) -> Iterator[Snapshots]:
    path = on_btrfs / f"root{time.monotonic_ns()}"
    with made(BtrfsRoots(), path) as snapshots:
        yield snapshots


class TestBtrfsRoots(SnapshotterContract):
    def test_a_root_is_a_subvolume_and_so_is_its_image(
        self, snapshotter: Snapshots, transaction: Transaction
    ) -> None:
        top = self.image(snapshotter, transaction)
        snapshotter.prepare("c", top)
        trees_ = [path.parent / "tree" for path in snapshotter.lower_dirs(top)]
        root = Path(snapshotter.mount_of("c", top)["source"])

        assert [path.stat().st_ino for path in (*trees_, root)] == [256, 256, 256]
        snapshotter.discard("c")
        snapshotter.remove(top)
        assert not trees_[0].parent.exists()

    def test_what_a_killed_process_left_of_subvolumes_is_swept(
        self, snapshotter: Snapshots, transaction: Transaction
    ) -> None:
        top = self.image(snapshotter, transaction)
        snapshotter.prepare("c", top)
        root = Path(snapshotter.mount_of("c", top)["source"])
        ingest = root.parents[2] / "ingest"
        trees.bury(root.parent, ingest)

        snapshotter.sweep()
        assert os.listdir(ingest) == []


def test_another_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedHere, match="needs a data root on btrfs"):
        BtrfsRoots().require(tmp_path)
