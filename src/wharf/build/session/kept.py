"""Contexts of earlier builds, kept so that only what changed is sent again; one build's alone while in use.

Nothing of them is brought to the disk: none outlives the run of the kernel that has it in memory, for after a power
failure a file may have the size and the time of the client's, and nothing in it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from wharf.kernel.boot import boot_id
from wharf.storage import trees
from wharf.storage.layout import DataRoot

_MOST: Final = 16
_OLDEST_S: Final = 48 * 3600


class KeptContexts:
    """Those of one data root. Everything blocks."""

    def __init__(self, data: DataRoot, boot: Callable[[], str] = boot_id) -> None:
        """Find what is kept; ``boot`` returns this run of the kernel's id."""
        self._data = data
        self._boot = boot()

    def take(self, key: str, folder: Path) -> None:
        """Move the context of ``key`` to ``folder``; nothing happens when there is none, or it is in use."""
        try:
            self._path(key).rename(folder)
        except FileNotFoundError:
            return

    def give(self, key: str, folder: Path) -> None:
        """Keep a folder for the next build; the older of two goes. Nothing may use it any more."""
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        trees.remove(path, self._data.ingest)
        os.utime(folder)
        folder.rename(path)
        self.collect()

    def collect(self, *, everything: bool = False) -> int:
        """Remove what was not used for two days, and what is too much; return the bytes that are free now."""
        found = sorted(self._all(), key=lambda path: path.stat().st_mtime, reverse=True)
        oldest = time.time() - _OLDEST_S
        gone = [
            path
            for number, path in enumerate(found)
            if everything or number >= _MOST or path.stat().st_mtime < oldest
        ]
        freed = sum(trees.usage(path) for path in gone)
        for path in gone:
            trees.remove(path, self._data.ingest)
        return freed

    def _all(self) -> Iterable[Path]:
        folder = self._data.build_contexts
        return [folder / name for name in os.listdir(folder)] if folder.exists() else []

    def _path(self, key: str) -> Path:
        return self._data.build_contexts / hashlib.sha256(f"{self._boot}\0{key}".encode()).hexdigest()
