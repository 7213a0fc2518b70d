from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.storage.snapshotter import SnapshotterContract
from tests.root.storage.roots.conftest import made

from wharf.storage.roots.native import NativeRoots
from wharf.storage.snapshots import Snapshots

pytestmark = pytest.mark.root


@pytest.fixture
def snapshotter(tmp_path: Path) -> Iterator[Snapshots]:
    with made(NativeRoots(), tmp_path / "root") as snapshots:
        yield snapshots


class TestNativeRoots(SnapshotterContract):
    """The contract's tests."""
