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

    def test_what_a_root_holds_can_be_limited(self, snapshotter: Snapshots) -> None:
        snapshotter.prepare("c")
        snapshotter.limit("c", 4 << 20)
        root = Path(snapshotter.mount_of("c", "")["source"])

        with pytest.raises(OSError, match="quota exceeded"):
            _fill(root / "f", megabytes=8)
        snapshotter.discard("c")

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


def _fill(path: Path, *, megabytes: int) -> None:
    with path.open("wb", buffering=0) as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
            os.fsync(file.fileno())
