from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from tests.contract.storage.snapshotter import Mounted, Opened, Transaction

from wharf.kernel import mount
from wharf.spec.shim_messages import RootfsMount
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.storage.snapshotter import Roots, Snapshotter

Make = Callable[[Roots, Path], AbstractContextManager[Snapshots]]


@contextmanager
def made(roots: Roots, path: Path) -> Iterator[Snapshots]:
    data = DataRoot(path)
    path.mkdir(mode=0o711, exist_ok=True)
    database = Database(data.database)
    try:
        roots.require(path)
        snapshots = Snapshots(data, database, roots)
        snapshots.transaction = database.transaction  # type: ignore[attr-defined]  # for the fixture below
        yield snapshots
        assert (snapshots.container_ids(), os.listdir(data.ingest)) == ([], [])
    finally:
        database.close()


@pytest.fixture
def transaction(snapshotter: Snapshots) -> Transaction:
    return snapshotter.transaction  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    """Mount a root as the runtime does, at a place of this test's own mount namespace."""

    @contextmanager
    def mount_root(described: RootfsMount) -> Iterator[Path]:
        place = tmp_path / "mounted"
        place.mkdir(exist_ok=True)
        fd = mount.open_tree(described["source"]) if described["type"] == "bind" else _overlay(described["options"])
        try:
            mount.move_mount(fd, str(place))
            yield place
        finally:
            os.close(fd)
            mount.umount(str(place), mount.UmountFlag.DETACH)

    return mount_root


@pytest.fixture
def opened(mounted: Mounted) -> Opened:
    """Mount a container's root."""

    @contextmanager
    def open_root(snapshotter: Snapshotter, container_id: str, chain_id: str) -> Iterator[Path]:
        snapshotter.attach(container_id, chain_id)
        try:
            with mounted(snapshotter.mount_of(container_id, chain_id)) as place:
                yield place
        finally:
            snapshotter.detach(container_id)

    return open_root


def _overlay(options: list[str]) -> int:
    fs = mount.fsopen("overlay")
    try:
        for option in options:
            key, _, value = option.partition("=")
            if option != "ro":  # the mount's, not the file system's
                mount.set_string(fs, key, value)
        mount.create(fs)
        return mount.fsmount(fs)
    finally:
        os.close(fs)


@pytest.fixture(scope="session")
def on_btrfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of btrfs in a file, mounted in the tests' own mount namespace."""
    if shutil.which("mkfs.btrfs") is None:
        pytest.skip("mkfs.btrfs is not installed")
    folder = tmp_path_factory.mktemp("btrfs")
    with (folder / "disk").open("wb") as disk:
        disk.truncate(256 * 1024 * 1024)
    (folder / "mounted").mkdir()
    subprocess.run(["mkfs.btrfs", "-q", folder / "disk"], check=True)
    done = subprocess.run(
        ["mount", "-o", "loop", folder / "disk", folder / "mounted"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no loop device: {done.stderr}")
    yield folder / "mounted"
    subprocess.run(["umount", folder / "mounted"], check=True)
