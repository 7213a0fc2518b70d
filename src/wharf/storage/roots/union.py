"""What layers show together, found without mounting them: overlay's rules, read from the folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from wharf.kernel.openat2 import openat2
from wharf.storage import overlay_marks as marks
from wharf.storage.attributes import attributes_of
from wharf.storage.node_copies import BENEATH
from wharf.storage.trees import FOLDER


class Union:
    """Layers, the uppermost first; used with ``with``."""

    def __init__(self, lower: Sequence[Path]) -> None:
        self._lower = lower
        self._tops: list[int] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for path in self._lower:
                fd = os.open(path, FOLDER)
                stack.callback(os.close, fd)
                self._tops.append(fd)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def listing(self, path: bytes) -> dict[bytes, tuple[int, os.stat_result]]:
        """Return what is in a folder, by name: the layer's descriptor it is of, and its status."""
        found: dict[bytes, tuple[int, os.stat_result] | None] = {}
        for top in self._visible(path):
            fd = self._open(top, path)
            if fd is None:
                continue
            try:
                for name in map(os.fsencode, os.listdir(fd)):
                    if name not in found:
                        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                        found[name] = None if marks.is_whiteout(status) else (top, status)
            finally:
                os.close(fd)
        return {name: each for name, each in found.items() if each is not None}

    def attributes(self, top: int, path: bytes) -> dict[str, bytes]:
        """Return the extended attributes of what a listing has found, but for overlay's own."""
        return own_attributes(f"/proc/self/fd/{top}/".encode() + path)

    def _visible(self, path: bytes) -> list[int]:
        """Return the layers whose folder ``path`` shows: down to the first that hides those below it."""
        visible = list(self._tops)
        parts = path.split(b"/") if path else []
        for depth in range(1, len(parts) + 1):
            prefix, kept = b"/".join(parts[:depth]), []
            for top in visible:
                status = self._stat(top, prefix)
                if status is None:
                    continue
                if not stat.S_ISDIR(status.st_mode):
                    break
                kept.append(top)
                if self._opaque(top, prefix):
                    break
            visible = kept
        return visible

    def _opaque(self, top: int, path: bytes) -> bool:
        fd = self._open(top, path)
        if fd is None:
            return False
        try:
            return marks.is_opaque(fd)
        finally:
            os.close(fd)

    def _open(self, top: int, path: bytes) -> int | None:
        try:
            return openat2(top, os.fsdecode(path) or ".", FOLDER, resolve=BENEATH)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _stat(self, top: int, path: bytes) -> os.stat_result | None:
        try:
            fd = openat2(top, os.fsdecode(path), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, resolve=BENEATH)
        except OSError:  # a part of the way is missing, or no folder
            return None
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)


def own_attributes(path: bytes) -> dict[str, bytes]:
    """Return a name's extended attributes, but for overlay's own."""
    return {k: v for k, v in attributes_of(path).items() if not k.startswith(marks.PRIVATE_PREFIXES)}
