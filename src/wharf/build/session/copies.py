"""Files that a client has opened, copied into the folder that is made as its own is; each is read and hashed once."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import threading
from collections.abc import Sequence
from typing import Final

from wharf.build.operations.selection import Digests
from wharf.build.session.entries import Entry
from wharf.build.session.tree import told
from wharf.errors import InvalidArgument
from wharf.kernel.openat2 import open_in_root

_CHUNK: Final = 1 << 20
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CLONE: Final = 0x40049409  # FICLONE (ioctl_ficlone(2)): the file system lets two files share what is in them
_CANNOT_CLONE: Final = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EPERM)


class Copies:
    """Those for one folder; from any thread."""

    def __init__(self, root: int, digests: Digests) -> None:
        """Copy below ``root``; ``digests`` learns of each file."""
        self._root = root
        self._digests = digests
        self._clones = True  # until the file system says that it cannot
        self._own = threading.local()

    def take(self, entries: Sequence[Entry], fds: Sequence[int]) -> int:
        """Copy files, whose descriptors are closed; return how many bytes they have.

        Raises:
            InvalidArgument: a descriptor is none of a file that can be read.
            Unavailable: the disk is full.
        """
        size, at, folder = 0, None, -1
        try:
            for entry, source in zip(entries, fds, strict=True):
                parent, _, name = entry.path.rpartition("/")
                try:
                    if parent != at:
                        folder, at = self._entered(folder, parent), parent
                    size += self._copy(entry, source, folder, name)
                except OSError as error:
                    raise told(entry, error) from error
        finally:
            for fd in fds:
                os.close(fd)
            if folder >= 0:
                os.close(folder)
        return size

    def _entered(self, left: int, path: str) -> int:
        entered = open_in_root(self._root, path or ".", os.O_PATH | os.O_DIRECTORY)
        if left >= 0:
            os.close(left)
        return entered

    def _copy(self, entry: Entry, source: int, folder: int, name: str) -> int:
        opened = os.fstat(source)
        if not stat.S_ISREG(opened.st_mode):
            raise InvalidArgument(f"{entry.path}: what the client has opened is no file")
        mode = stat.S_IMODE(entry.mode)
        target = os.open(name, _CREATE, mode, dir_fd=folder)
        try:
            size, digest = self._fill(source, target, opened.st_size)
            os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))
            status = os.fstat(target)
            if stat.S_IMODE(status.st_mode) != mode:  # by the umask, or for what was written to it
                os.fchmod(target, mode)
                status = os.fstat(target)
            self._digests.learn(status, digest)
        finally:
            os.close(target)
        return size

    def _fill(self, source: int, target: int, told: int) -> tuple[int, str]:
        """Return how much there is, and its digest: of what is kept, whatever becomes of the client's file.

        Less than was asked for is the end where that makes the ``told`` bytes: a file system may give it before.
        """
        hashed, at, buffer = hashlib.sha256(), 0, self._buffer()
        shared = self._cloned(source, target)
        count = _CHUNK
        while count == _CHUNK or (count and at != told):
            count = os.preadv(target if shared else source, [buffer], at)
            view = memoryview(buffer)[:count]
            hashed.update(view)
            at += count
            while view and not shared:
                view = view[os.write(target, view) :]
        return at, hashed.hexdigest()

    def _cloned(self, source: int, target: int) -> bool:
        if self._clones:
            try:
                fcntl.ioctl(target, _CLONE, source)
            except OSError as error:
                if error.errno not in _CANNOT_CLONE:
                    raise
                self._clones = False
        return self._clones

    def _buffer(self) -> bytearray:
        if not hasattr(self._own, "buffer"):
            self._own.buffer = bytearray(_CHUNK)
        buffer: bytearray = self._own.buffer
        return buffer
