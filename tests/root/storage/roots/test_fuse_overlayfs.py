from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.storage.snapshotter import SnapshotterContract
from tests.root.storage.roots.conftest import made

from wharf.storage.roots.fuse_overlayfs import FuseOverlayRoots, options
from wharf.storage.snapshots import Snapshots

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("fuse-overlayfs") is None, reason="fuse-overlayfs is not installed"),
]


@pytest.fixture
def snapshotter(tmp_path: Path) -> Iterator[Snapshots]:
    with made(FuseOverlayRoots(), tmp_path / "root") as snapshots:
        yield snapshots


class TestFuseOverlayRoots(SnapshotterContract):
    """The contract's tests."""


def test_what_would_end_an_option_is_escaped() -> None:
    assert options([Path("/a:b"), Path("/c")], Path("/u,x"), Path("/w")) == (
        r"lowerdir=/a\:b:/c,upperdir=/u\,x,workdir=/w"
    )
    assert options([Path("/a")], None, None) == "lowerdir=/a"


def test_a_mount_that_is_left_is_taken_away_with_its_container(
    snapshotter: Snapshots, transaction: object, tmp_path: Path
) -> None:
    top = TestFuseOverlayRoots().image(snapshotter, transaction)  # type: ignore[arg-type]
    snapshotter.prepare("c", top)
    snapshotter.attach("c", top)
    snapshotter.attach("c", top)
    merged = tmp_path / "root/containers/c/merged"
    assert os.path.ismount(merged)

    snapshotter.discard("c")
    assert not merged.exists()
