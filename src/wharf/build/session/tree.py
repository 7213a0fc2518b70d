"""A folder made as a client's is, entry by entry; what is there already and has not changed stays. Blocking.

Only descriptors of folders that were made or checked here are worked in, so no link leads anywhere else. A file that
changes is made anew, never written over.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from wharf.build.operations.selection import Digests
from wharf.build.session.entries import Entry, Order
from wharf.errors import InvalidArgument, Unavailable
from wharf.kernel.openat2 import open_in_root
from wharf.lib.readable import readable
from wharf.storage import trees
from wharf.storage.trees import FOLDER

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TOGETHER_BYTES: Final = 1 << 17
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class _Arrival:
    """A file whose content is on its way."""

    __slots__ = ("_pieces", "_size", "entry", "fd", "hashed")

    def __init__(self, entry: Entry, fd: int) -> None:
        self.entry = entry
        self.fd = fd
        self.hashed = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, data: bytes) -> None:
        """Take a part; several are hashed and written at once, for each time costs the interpreter's lock."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _TOGETHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hash and write what was taken."""
        view = memoryview(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
        self._pieces.clear()
        self._size = 0
        self.hashed.update(view)
        while view:
            view = view[os.write(self.fd, view) :]


class Tree:
    """Close it at the end; :meth:`finish` before, when everything came."""

    def __init__(self, folder: Path, digests: Digests | None = None) -> None:
        """Begin with what ``folder`` has; ``digests`` learns of each file that comes."""
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        self._root = os.open(folder, FOLDER)
        self._had_files = bool(os.listdir(self._root))
        self._digests = digests
        self._order = Order()
        self._open: list[int] = []  # descriptors of the folders above the last entry
        self._folders: list[Entry] = []
        self._seen: set[str] = set()
        self._files: set[str] = set()
        self._shared: set[int] = set()  # inodes with several names
        self._links: list[Entry] = []
        self._arriving: dict[int, _Arrival] = {}
        self._last: tuple[str, int] | None = None  # the folder of the file that was begun last: the next is there too

    @property
    def root(self) -> int:
        """Its folder's descriptor."""
        return self._root

    def close(self) -> None:
        """Let go of everything that is open."""
        for arrival in self._arriving.values():
            os.close(arrival.fd)
        self._arriving.clear()
        self._leave_last()
        for fd in (*self._open, self._root):
            os.close(fd)
        self._open, self._root = [], -1

    def put(self, entry: Entry) -> bool:
        """Take the next entry; return whether its content is needed.

        Raises:
            InvalidArgument: it cannot be, or not here.
            Unavailable: the disk is full.
        """
        depth = self._order.follow(entry)
        while len(self._open) > depth:
            os.close(self._open.pop())
        parent = self._open[-1] if self._open else self._root
        self._seen.add(entry.path)
        try:
            return self._make(parent, os.path.basename(entry.path), entry)
        except OSError as error:
            raise told(entry, error) from error

    def _make(self, parent: int, name: str, entry: Entry) -> bool:
        there = _status(parent, name)
        if stat.S_ISDIR(entry.mode):
            self._make_folder(parent, name, entry, there)
            return False
        if entry.has_content:
            self._files.add(entry.path)
            if not entry.link and there is not None and self._is_same(entry, there):
                return False
        if there is not None:
            _remove(parent, name)
        if not entry.has_content:
            _make_other(parent, name, entry)
            return False
        if entry.link:
            self._check_link(entry)
            self._links.append(entry)  # what it is the same as may be on its way
            return False
        return True

    def _is_same(self, entry: Entry, there: os.stat_result) -> bool:
        """Whether a file is taken for unchanged, as fsutil takes it: by what the file system says of it.

        Layers may have other names of it, this folder not: a client's two files were one here before.
        """
        if there.st_nlink > 1:
            if there.st_ino in self._shared:
                return False
            self._shared.add(there.st_ino)
        return (there.st_mode, there.st_size, there.st_mtime_ns) == (entry.mode, entry.size_bytes, entry.mtime_ns)

    def _make_folder(self, parent: int, name: str, entry: Entry, there: os.stat_result | None) -> None:
        if there is not None and not stat.S_ISDIR(there.st_mode):
            os.unlink(name, dir_fd=parent)
            there = None
        if there is None:
            os.mkdir(name, 0o700, dir_fd=parent)
        fd = os.open(name, FOLDER, dir_fd=parent)
        self._open.append(fd)
        os.fchmod(fd, stat.S_IMODE(entry.mode))
        _set_attributes(fd, entry)
        self._folders.append(entry)

    def _check_link(self, entry: Entry) -> None:
        if entry.link not in self._files or entry.link == entry.path:
            said = f"{readable(entry.path)} is said to be a link to {readable(entry.link)}, which did not come before"
            raise InvalidArgument(said)

    def _link(self, entry: Entry) -> None:
        with ExitStack() as opened:
            old, new = (opened.enter_context(self._folder_of(path)) for path in (entry.link, entry.path))
            names = os.path.basename(entry.link), os.path.basename(entry.path)
            before = os.stat(names[0], dir_fd=old, follow_symlinks=False)
            os.link(*names, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
            if self._digests is not None:
                self._digests.follow(before, os.stat(names[0], dir_fd=old, follow_symlinks=False))

    @contextmanager
    def _folder_of(self, path: str) -> Iterator[int]:
        fd = open_in_root(self._root, os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY)
        try:
            yield fd
        finally:
            os.close(fd)

    def begin(self, number: int, entry: Entry) -> None:
        """Make ready for the content of an entry, under a number."""
        path, _, name = entry.path.rpartition("/")
        try:
            if self._last is None or self._last[0] != path:
                self._leave_last()
                self._last = (path, open_in_root(self._root, path or ".", os.O_PATH | os.O_DIRECTORY))
            fd = os.open(name, _CREATE, 0o600, dir_fd=self._last[1])
        except OSError as error:
            raise told(entry, error) from error
        self._arriving[number] = _Arrival(entry, fd)

    def _leave_last(self) -> None:
        if self._last is not None:
            os.close(self._last[1])
            self._last = None

    def write(self, number: int, data: bytes) -> None:
        """Take a part of a content; an empty one ends it.

        Raises:
            InvalidArgument: nobody asked for it.
            Unavailable: the disk is full.
        """
        arrival = self._arriving.get(number)
        if arrival is None:
            raise InvalidArgument(f"content came that nobody asked for: {number}")
        try:
            if not data:
                self._end(number, arrival)
                return
            arrival.take(data)
        except OSError as error:
            raise told(arrival.entry, error) from error

    def _end(self, number: int, arrival: _Arrival) -> None:
        entry, fd = arrival.entry, arrival.fd
        arrival.flush()
        os.fchmod(fd, stat.S_IMODE(entry.mode))
        _set_attributes(fd, entry)
        os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        if self._digests is not None:
            self._digests.learn(os.fstat(fd), arrival.hashed.hexdigest())
        del self._arriving[number]
        os.close(fd)

    def finish(self) -> None:
        """Remove what the client does not have, give files their other names, and folders their times.

        Raises:
            InvalidArgument: a file has gone that another name was told of.
        """
        if self._had_files:
            self._remove_others()
        for entry in self._links:
            try:
                self._link(entry)
            except OSError as error:
                raise told(entry, error) from error
        for entry in reversed(self._folders):
            fd = open_in_root(self._root, entry.path, FOLDER)
            try:
                os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
            finally:
                os.close(fd)

    def _remove_others(self) -> None:
        gone = [node.path for node in trees.walk(self._root) if os.fsdecode(node.path) not in self._seen]
        for path in reversed(gone):  # what is in a folder before the folder
            folder = open_in_root(self._root, os.path.dirname(os.fsdecode(path)), FOLDER)
            try:
                _remove(folder, os.path.basename(os.fsdecode(path)))
            finally:
                os.close(folder)


def _status(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _remove(parent: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except IsADirectoryError:
        trees.remove_folder(name, parent)


def _make_other(parent: int, name: str, entry: Entry) -> None:
    if stat.S_ISLNK(entry.mode):
        os.symlink(entry.link, name, dir_fd=parent)
    elif stat.S_ISSOCK(entry.mode):
        return  # nothing listens on it here
    else:
        major, minor = entry.device
        os.mknod(name, entry.mode, os.makedev(major, minor), dir_fd=parent)
        os.chmod(name, stat.S_IMODE(entry.mode), dir_fd=parent)
    os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)


def _set_attributes(fd: int, entry: Entry) -> None:
    for name, value in (entry.attributes or {}).items():
        with suppress(OSError):  # as with archives: a file system without them keeps the rest of the file
            os.setxattr(fd, name, value)


def told(entry: Entry, error: OSError) -> InvalidArgument | Unavailable:
    """Return what a client is told of a file that could not be made."""
    said = f"{readable(entry.path)}: {(error.strerror or str(error)).lower()}"
    return Unavailable(said) if error.errno in _FULL else InvalidArgument(said)
