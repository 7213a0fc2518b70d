from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots


@pytest.fixture
def data(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path / "root")
    root.path.mkdir(mode=0o711)
    return root


@pytest.fixture
def database(data: DataRoot) -> Iterator[Database]:
    database = Database(data.database)
    yield database
    database.close()


@pytest.fixture
def snapshots(data: DataRoot, database: Database) -> Snapshots:
    return Snapshots(data, database)


@pytest.fixture
def layer(tmp_path: Path) -> Iterator[int]:
    """The descriptor of an empty folder with a secret beside it."""
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "layer").mkdir()
    fd = os.open(tmp_path / "layer", os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)
