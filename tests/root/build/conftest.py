"""A store of layers on a root of its own, for what builds do to files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from wharf.build.graph.operations import File, MakeFile, MakeFolder
from wharf.build.operations import file
from wharf.build.operations.results import Layers
from wharf.build.operations.store import Store, unrecorded
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots


@dataclass
class Workbench:
    """A data root, its layers, and what tests look at."""

    data: DataRoot
    database: Database
    snapshots: Snapshots
    store: Store

    def layer(self, files: dict[str, bytes], base: Layers | None = None) -> Layers:
        """Make a layer with these files and the folders they lie in."""
        actions: list[MakeFolder | MakeFile] = []
        for name, content in files.items():
            folder = name.rpartition("/")[0]
            actions += [MakeFolder(folder, parents=True)] if folder else []
            actions.append(MakeFile(name, content))
        operation = File(tuple(actions), base=0 if base else -1)
        return file.run(self.store, operation, [base] if base else [], unrecorded)

    def tree(self, result: Layers) -> dict[str, str]:
        """Return all that is in a result: content of files, "/" for folders, where links point."""
        found: dict[str, str] = {}
        with self.store.open(result) as fd:
            if fd is None:
                return found
            top = Path(f"/proc/self/fd/{fd}")
            for path in sorted(top.rglob("*")):
                name = "/" + str(path.relative_to(top))
                if path.is_symlink():
                    found[name] = f"-> {path.readlink()}"
                else:
                    found[name] = "/" if path.is_dir() else path.read_text()
        return found

    def leftovers(self) -> list[str]:
        """Return what lies half done."""
        return sorted(path.name for path in self.data.ingest.iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    data = DataRoot(tmp_path / "root")
    data.path.mkdir()
    database = Database(data.database)
    snapshots = Snapshots(data, database)
    bench = Workbench(data, database, snapshots, Store(snapshots, database))
    yield bench
    assert bench.leftovers() == []
    database.close()
