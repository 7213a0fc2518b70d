from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.storage.snapshotter import SnapshotterContract
from tests.root.storage.roots.conftest import made

from wharf.kernel.mount_view import open_view
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


@pytest.mark.parametrize("write", [True, False])
def test_a_stopped_root_is_looked_into_without_an_overlay_of_the_kernels(
    snapshotter: Snapshots, transaction: object, tmp_path: Path, *, write: bool
) -> None:
    top = TestFuseOverlayRoots().image(snapshotter, transaction)  # type: ignore[arg-type]
    snapshotter.prepare("c", top)
    place = tmp_path / "place"
    place.mkdir()

    with snapshotter.layers_of("c", top, write=write) as layers, open_view(str(place), layers) as view:
        kind = subprocess.run(
            ["stat", "-f", "-c", "%T", f"/proc/self/fd/{view.root}/"],
            pass_fds=[view.root], stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
        os.close(os.open("new", os.O_WRONLY | os.O_CREAT, dir_fd=view.root))

    assert (list(layers.lower), kind.strip()) == ([], "fuseblk")
    assert (tmp_path / "root/containers/c/upper/new").exists() is write
    assert not [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(tmp_path) in line]
    snapshotter.discard("c")
