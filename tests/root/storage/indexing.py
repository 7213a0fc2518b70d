"""A storage driver that does not unpack: a layer stays the archive that it came as, with an index of what is in it.

It is as small as it can be, and uses nothing but what :class:`wharf.storage.snapshotter.Roots` says. Its layers
show their files when they are first asked for; a driver for a file system that reads archives would mount them there.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

from wharf.storage.diff import unpack
from wharf.storage.roots.overlay import OverlayRoots
from wharf.storage.tar_entry import Kind
from wharf.storage.tar_reader import Source, TarReader
from wharf.storage.trees import FOLDER


class IndexedRoots(OverlayRoots):
    """Containers' roots are overlay's; layers that others made come in as archives."""

    name = "indexed"
    takes_archives = True

    def __init__(self) -> None:
        super().__init__()
        self._showing = threading.Lock()

    def take_archive(self, layer: Path, archive: Source) -> int:
        with (layer / "layer.tar").open("xb") as file:
            entries = {os.fsdecode(entry.name): entry for entry in TarReader(_Copied(archive, file))}
        index = {name: entry.size for name, entry in entries.items() if entry.kind is Kind.FILE}
        (layer / "index.json").write_text(json.dumps(index))
        return sum(index.values())

    def files(self, layer: Path) -> Path:
        if not (layer / "layer.tar").exists():
            return layer / "fs"  # made here
        with self._showing:
            if not (layer / "shown").exists():
                _show(layer)
        return layer / "shown"


def _show(layer: Path) -> None:
    shutil.rmtree(layer / "showing", ignore_errors=True)  # of a process that was killed
    (layer / "showing").mkdir(mode=0o755)
    folder = os.open(layer / "showing", FOLDER)
    try:
        with (layer / "layer.tar").open("rb") as archive:
            unpack(archive, folder)
    finally:
        os.close(folder)
    (layer / "showing").rename(layer / "shown")


class _Copied:
    """A source whose bytes are kept as they are read."""

    def __init__(self, source: Source, into: object) -> None:
        self._source = source
        self._write = into.write  # type: ignore[attr-defined]

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._write(data)
        return data
