"""The folders into which an archive goes, kept open while it is unpacked: a path is resolved once, not each time."""

from __future__ import annotations

import errno
import os
import resource
from collections import OrderedDict
from typing import Final

from wharf.kernel.libc import suppress_errno
from wharf.kernel.openat2 import ensure_folder, open_in_root
from wharf.storage.trees import FOLDER

_FOLLOWED: Final = FOLDER & ~os.O_NOFOLLOW
_MOST: Final = 4096
_SHARE: Final = 16


class OpenFolders:
    """Folders below ``top`` by the path that led there, symlinks and all; the one asked for last goes last."""

    def __init__(self, top: int, most: int | None = None) -> None:
        """Begin with none.

        Args:
            top: a descriptor of the root in which every path stays; the caller's.
            most: how many are open at a time; None: what this process can spare of its descriptors.
        """
        self._top = top
        self._most = most or _spare()
        self._open: OrderedDict[bytes, int] = OrderedDict()

    def folder(self, path: bytes) -> int:
        """Return a descriptor, which stays ours, of a folder; what is missing is made, as archives may leave it out.

        Raises:
            OSError: something on the way is no folder.
        """
        if not path:
            return self._top
        if (known := self._open.get(path)) is not None:
            self._open.move_to_end(path)
            return known
        fd = self._step(path)
        if fd is None:
            text = os.fsdecode(path)
            os.close(ensure_folder(self._top, text))
            fd = open_in_root(self._top, text, _FOLLOWED)
        self._open[path] = fd
        if len(self._open) > self._most:
            os.close(self._open.popitem(last=False)[1])
        return fd

    def _step(self, path: bytes) -> int | None:
        """Open a folder, made if missing, from the one it is in; None where something else has its name."""
        above, _, name = path.rpartition(b"/")
        if name in (b"", b".", b".."):
            return None
        parent = self.folder(above)
        with suppress_errno(errno.ELOOP, errno.ENOTDIR):  # a symlink, for one
            try:
                return os.open(name, FOLDER, dir_fd=parent)
            except FileNotFoundError:
                with suppress_errno(errno.EEXIST):  # somebody made it meanwhile
                    os.mkdir(name, 0o755, dir_fd=parent)
                return os.open(name, FOLDER, dir_fd=parent)
        return None

    def close(self) -> None:
        """Close all of them, since paths lead elsewhere now or nothing more comes; idempotent."""
        while self._open:
            os.close(self._open.popitem()[1])


def _spare() -> int:
    """Return how many this process may keep open: several archives are unpacked at once, beside other things."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST if soft == resource.RLIM_INFINITY else max(1, min(_MOST, soft // _SHARE))
