"""Unpack an archive: a layer's into a folder of its own as overlay wants it, or any into a container's root.

The archive is taken for hostile.

Every name is resolved below the folder's descriptor (openat2, RESOLVE_IN_ROOT), so a name, a link or a symlinked
parent leads nowhere else. What the archive may do is make files, links and devices *inside*; who runs a container on
it decides what those can do there.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument
from wharf.kernel import userns
from wharf.kernel.openat2 import open_in_root
from wharf.lib.remap import Remap
from wharf.storage import overlay_marks as marks
from wharf.storage.dress import dress_fd, dress_name, outside
from wharf.storage.open_folders import OpenFolders
from wharf.storage.tar_entry import Entry, Kind
from wharf.storage.tar_reader import Source, TarReader
from wharf.storage.trees import FOLDER, remove_folder

_MAX_DEPTH: Final = 255
_MAX_NAME_BYTES: Final = 4000
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NODES: Final = {Kind.CHARACTER: stat.S_IFCHR, Kind.BLOCK: stat.S_IFBLK, Kind.FIFO: stat.S_IFIFO}


Learn = Callable[[os.stat_result, str], None]
"""Takes what the file system says of a file, and the sha256 of its content, in hex."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one archive may fill."""

    entries: int = 5_000_000
    bytes: int = 1 << 40


@dataclass(frozen=True, slots=True)
class Manner:
    """How an archive is unpacked."""

    layer: bool = True  # marks of deletions are such; else they are files like any other
    base: bytes = b""  # the folder inside the root into which it goes: relative, it may lead through symlinks
    keep_kinds: bool = False  # a folder is not replaced by something else, nor the reverse
    owner: tuple[int, int] | None = None  # uid and gid of all; None: the archive's
    remap: Remap | None = None  # of the user namespace in which the archive's ids, and the owner's, are meant
    no_marks: bool = False  # names that would be marks in a layer are refused
    learn: Learn | None = None  # told of each file without holes, once it is as it stays


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an archive filled."""

    entries: int
    size_bytes: int


def unpack(source: Source, folder_fd: int, limits: Limits | None = None) -> Unpacked:
    """Unpack the archive ``source`` into the empty folder ``folder_fd``; blocking.

    Owners, modes, times and extended attributes are the archive's; deletions become overlay's marks. When it
    raises, the folder holds a part of the archive: the caller removes it.

    Raises:
        InvalidArgument: the archive is corrupt, or an entry of it is refused; the message says which.
        OSError: the disk is full, or this process may not make a device.
    """
    return _unpack(source, _Unpacker(folder_fd, limits or Limits(), Manner()))


def extract(source: Source, root_fd: int, manner: Manner) -> Unpacked:
    """Unpack the archive ``source`` over what a root has already; blocking, raises as :func:`unpack`.

    Symlinks on the way are followed as a process in the root would; the last entry of a name counts.
    """
    return _unpack(source, _Unpacker(root_fd, Limits(), manner))


def _unpack(source: Source, unpacker: _Unpacker) -> Unpacked:
    try:
        reader = TarReader(source)
        for entry in reader:
            try:
                unpacker.add(entry, reader)
            except OSError as error:
                raise _refusal(entry, error) from error
        return unpacker.close()
    finally:
        unpacker.release()


_ARCHIVES_FAULT: Final = frozenset(
    {
        errno.ELOOP,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENOENT,
        errno.ENAMETOOLONG,
        errno.EINVAL,
        errno.ERANGE,
        errno.E2BIG,
    }
)


def _refusal(entry: Entry, error: OSError) -> Exception:
    """Return ``error`` itself when it is about the machine, or what to say when the archive is to blame."""
    if error.errno in _ARCHIVES_FAULT:
        return InvalidArgument(f"invalid archive: entry {_shown(entry.name)}: {error.strerror}")
    return OSError(error.errno, f"unpacking {_shown(entry.name)}: {error.strerror}")


def _shown(name: bytes) -> str:
    text = name.decode("utf-8", "backslashreplace")
    return repr(text if len(text) < 300 else text[:300] + "…")


def _no_file(entry: Entry) -> InvalidArgument:
    return InvalidArgument(
        f"invalid archive: entry {_shown(entry.name)} is a link to {_shown(entry.target)}, which is no file"
    )


def clean(name: bytes) -> bytes:
    """Return a name of the archive relative to its root, without "." and ".."; empty for the root. Pure.

    Raises:
        InvalidArgument: it lies above the root, or is too long or too deep.
    """
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            if not parts:
                raise InvalidArgument(f"invalid archive: entry {_shown(name)} lies outside of it")
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    if len(name) > _MAX_NAME_BYTES or len(parts) > _MAX_DEPTH:
        raise InvalidArgument(f"invalid archive: entry {_shown(name)} is too deep")
    return b"/".join(parts)


class _Unpacker:
    """The folder being filled."""

    def __init__(self, top: int, limits: Limits, manner: Manner) -> None:
        self._top = top
        self._limits = limits
        self._manner = manner
        self._folders = OpenFolders(top)
        self._times: list[tuple[bytes, int]] = []  # of folders: set last, for filling them changes them
        self._entries = 0
        self._bytes = 0
        self._stale = False

    def add(self, entry: Entry, reader: TarReader) -> None:
        self._entries += 1
        self._bytes += len(entry.target) if entry.kind is Kind.SYMLINK else entry.size
        if self._entries > self._limits.entries or self._bytes > self._limits.bytes:
            raise InvalidArgument("invalid archive: it is larger than allowed")
        if self._stale:
            self.release()
            self._stale = False
        if self._manner.owner is not None:
            entry.uid, entry.gid = self._manner.owner
        if self._manner.remap is not None:
            entry.uid, entry.gid = outside(self._manner.remap, entry)
        path = self._inside(clean(entry.name))
        if path == self._manner.base:
            self._root(entry)
            return
        parent_path, _, name = path.rpartition(b"/")
        parent = self._folders.folder(parent_path)
        if self._manner.layer and name.startswith(marks.WHITEOUT_PREFIX):
            self._mark(parent, name)
        else:
            if self._manner.no_marks:
                marks.refuse(path)
            self._place(entry, reader, parent, name, path)

    def close(self) -> Unpacked:
        """Set what has to be set last."""
        for path, mtime_ns in reversed(self._times):
            try:
                fd = self._open_exactly(path)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                    continue  # replaced by a later entry
                raise
            try:
                os.utime(fd, ns=(mtime_ns, mtime_ns))
            finally:
                os.close(fd)
        return Unpacked(self._entries, self._bytes)

    def release(self) -> None:
        """Close the folders kept open; idempotent."""
        self._folders.close()

    def _inside(self, path: bytes) -> bytes:
        base = self._manner.base
        return b"/".join(part for part in (base, path) if part)

    def _open_exactly(self, path: bytes) -> int:
        return open_in_root(self._top, os.fsdecode(path), FOLDER)

    def _root(self, entry: Entry) -> None:
        if entry.kind is not Kind.FOLDER:
            raise InvalidArgument("invalid archive: its root is not a folder")
        if not self._manner.base:
            dress_fd(self._top, entry)
            self._times.append((b".", entry.mtime_ns))
            return
        fd = open_in_root(self._top, os.fsdecode(self._manner.base), FOLDER & ~os.O_NOFOLLOW)
        try:
            dress_fd(fd, entry)
        finally:
            os.close(fd)
        self._times.append((self._manner.base, entry.mtime_ns))

    def _mark(self, parent: int, name: bytes) -> None:
        if name == marks.OPAQUE_MARK:
            marks.mark_opaque(parent)
            return
        if name.startswith(marks.RESERVED_PREFIX):
            return
        deleted = name[len(marks.WHITEOUT_PREFIX) :]
        if deleted in (b"", b".", b".."):
            raise InvalidArgument(f"invalid archive: deletion {_shown(name)} names nothing")
        status = _lstat(deleted, parent)
        if status is None:
            marks.make_whiteout(deleted, parent)
        elif stat.S_ISDIR(status.st_mode):  # the same layer has it too: only the lower layers' goes
            fd = os.open(deleted, FOLDER, dir_fd=parent)
            try:
                marks.mark_opaque(fd)
            finally:
                os.close(fd)

    def _place(self, entry: Entry, reader: TarReader, parent: int, name: bytes, path: bytes) -> None:
        match entry.kind:
            case Kind.FOLDER:
                self._folder(entry, parent, name, path)
            case Kind.FILE:
                self._file(entry, reader, parent, name)
            case Kind.HARDLINK:
                self._hardlink(entry, parent, name)
            case Kind.SYMLINK:
                self._clear(parent, name)
                os.symlink(entry.target, name, dir_fd=parent)
                dress_name(entry, parent, name)
            case _:
                self._clear(parent, name)
                device = os.makedev(*entry.device)
                try:
                    os.mknod(name, _NODES[entry.kind] | 0o600, device, dir_fd=parent)
                except PermissionError:
                    if entry.kind is Kind.FIFO or not userns.inside():
                        raise
                    return  # a plain user makes no devices, and their containers could not open it
                dress_name(entry, parent, name)

    def _folder(self, entry: Entry, parent: int, name: bytes, path: bytes) -> None:
        replaces = False
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                if self._manner.keep_kinds:
                    raise InvalidArgument(f"cannot overwrite non-directory {_shown(path)} with directory") from None
                replaces = self._manner.layer and marks.is_whiteout(status)
                self._clear(parent, name)
                os.mkdir(name, 0o700, dir_fd=parent)
        fd = os.open(name, FOLDER, dir_fd=parent)
        try:
            if replaces:
                marks.mark_opaque(fd)
            dress_fd(fd, entry)
        finally:
            os.close(fd)
        self._times.append((path, entry.mtime_ns))

    def _file(self, entry: Entry, reader: TarReader, parent: int, name: bytes) -> None:
        asked = entry.mode & 0o7000 == 0  # setuid comes with the owner, not before
        mode = entry.mode if asked else 0o600
        try:
            fd = os.open(name, _NEW_FILE, mode, dir_fd=parent)
        except FileExistsError:
            self._clear(parent, name)
            fd = os.open(name, _NEW_FILE, mode, dir_fd=parent)
        try:
            hashed = None if self._manner.learn is None or entry.extents is not None else hashlib.sha256()
            if entry.extents is None:
                for _, data in reader.pieces():
                    _write(fd, data)
                    if hashed is not None:
                        hashed.update(data)
            else:
                for offset, data in reader.pieces():
                    os.lseek(fd, offset, os.SEEK_SET)
                    _write(fd, data)
                os.ftruncate(fd, entry.size)
            if not (asked and self._has_come_out(fd, entry)):
                dress_fd(fd, entry)
            os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
            if hashed is not None and self._manner.learn is not None:
                self._manner.learn(os.fstat(fd), hashed.hexdigest())
        finally:
            os.close(fd)

    def _has_come_out(self, fd: int, entry: Entry) -> bool:
        """Return whether a file is already what its entry says, as nearly all are: root's, without attributes."""
        if entry.xattrs:
            return False
        status = os.fstat(fd)
        return (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (entry.uid, entry.gid, entry.mode)

    def _hardlink(self, entry: Entry, parent: int, name: bytes) -> None:
        target = self._inside(clean(entry.target))
        folder, _, last = target.rpartition(b"/")
        if not last:
            raise InvalidArgument(f"invalid archive: entry {_shown(entry.name)} is a link to its root")
        source = self._open_parent_of_target(entry, folder)
        try:
            status = _lstat(last, source)
            if status is None or stat.S_ISDIR(status.st_mode) or marks.is_whiteout(status):
                raise _no_file(entry)
            here = _lstat(name, parent)
            if here is not None and (here.st_dev, here.st_ino) == (status.st_dev, status.st_ino):
                return
            self._clear(parent, name)
            os.link(last, name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(source)

    def _open_parent_of_target(self, entry: Entry, folder: bytes) -> int:
        try:
            return open_in_root(self._top, os.fsdecode(folder) or ".", FOLDER & ~os.O_NOFOLLOW)
        except FileNotFoundError:
            raise _no_file(entry) from None

    def _clear(self, parent: int, name: bytes) -> None:
        """Make room for another entry of that name: the last one counts."""
        status = _lstat(name, parent)
        if status is None:
            return
        if stat.S_ISDIR(status.st_mode):
            if self._manner.keep_kinds:
                raise InvalidArgument(f"cannot overwrite directory {_shown(name)} with non-directory")
            remove_folder(name, parent)
        else:
            os.unlink(name, dir_fd=parent)
        if stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode):
            self._stale = True  # a path that led to a folder kept open may lead elsewhere now


def _write(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, memoryview(data)[written:])


def _lstat(name: bytes, folder_fd: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
