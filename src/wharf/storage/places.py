"""Where on the disk new folders begin: apart from each other, and from what has just been removed.

Ext4 puts a folder beside the one it is in. Layers and contexts are made and removed with thousands of files at once,
and an ext4 without a journal takes no inode for six minutes after it was freed: it looks at each of those in a
group again for every file that is made there (``recently_deleted`` in fs/ext4/ialloc.c). That is 200 µs a file.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wharf.kernel.inode_flags import spread_folders
from wharf.kernel.libc import suppress_errno
from wharf.storage.trees import FOLDER

_AVOIDED_S: Final = 360.0  # RECENTCY_MIN and RECENTCY_DIRTY
_GROUP: Final = 8192  # inodes of a group, where nobody has asked for another number
_MOST: Final = 8


def _group_of(folder: Path) -> int:
    return folder.stat().st_ino // _GROUP


class Places:
    """Makes folders in one folder, each where little was removed of late; from any thread."""

    def __init__(
        self,
        parent: Path,
        clock: Callable[[], float] = time.monotonic,
        group_of: Callable[[Path], int] = _group_of,
    ) -> None:
        """Have folders in ``parent`` spread over the disk; ``group_of`` tells where on it one is."""
        self._parent = parent
        self._clock = clock
        self._group_of = group_of
        self._lock = threading.Lock()
        self._left: dict[int, float] = {}  # groups, and when something was removed there
        spread(parent)

    def make(self, names: Callable[[], str], mode: int = 0o777) -> Path:
        """Make a folder with one of the names that ``names`` gives; the first one's place may be worse."""
        tried: list[Path] = []
        try:
            while True:
                folder = self._parent / names()
                folder.mkdir(mode=mode)
                if len(tried) + 1 == _MOST or not self._is_left(folder):
                    return folder
                tried.append(folder)  # it stays until there is a better one, which is put elsewhere then
        finally:
            for folder in tried:
                folder.rmdir()

    def leave(self, folder: Path) -> None:
        """Say that all of a folder is about to be removed; one that has gone does not matter."""
        with suppress_errno(errno.ENOENT):
            group = self._group_of(folder)
            with self._lock:
                now = self._clock()
                self._left = {known: at for known, at in self._left.items() if now - at < _AVOIDED_S}
                self._left[group] = now

    def _is_left(self, folder: Path) -> bool:
        group = self._group_of(folder)
        with self._lock:
            at = self._left.get(group)
        return at is not None and self._clock() - at < _AVOIDED_S


def spread(folder: Path) -> None:
    """Have each folder in this one begin in a part of the disk of its own."""
    fd = os.open(folder, FOLDER)
    try:
        # A hint that other file systems do not know, and that an owner in no namespace of ours may not give.
        with suppress_errno(errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EPERM):
            spread_folders(fd)
    finally:
        os.close(fd)
