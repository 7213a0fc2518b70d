"""Make an archive of a folder: a container's root (docker export), a part (docker cp), its own layer (docker commit).

Of a layer, overlay's deletions are turned back into the archive's marks. Names come in byte order, so the same folder
gives the same bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from wharf.lib.remap import Remap
from wharf.storage import overlay_marks as marks
from wharf.storage.attributes import attributes_of
from wharf.storage.tar_entry import Entry, Kind
from wharf.storage.tar_writer import Sink, TarWriter
from wharf.storage.trees import FOLDER, Node, walk

_CHUNK: Final = 256 * 1024
_NS: Final = 1_000_000_000
_KINDS: Final = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.FOLDER,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFIFO: Kind.FIFO,
}


def nothing(_node: Node) -> bool:
    """Return that an entry is not left out."""
    return False


def pack(
    folder_fd: int,
    sink: Sink,
    *,
    overlay: bool,
    leave_out: Callable[[Node], bool] = nothing,
    mtime_ns: int | None = None,
) -> None:
    """Write the archive of what is below ``folder_fd``; blocking. Sockets are left out, times are whole seconds.

    Args:
        folder_fd: the folder, open for reading; its own mode and owner are not part of the archive.
        sink: gets the archive.
        overlay: the folder is an overlay's upper: write marks for deletions. Else 0:0 devices are just that.
        leave_out: whether an entry does not belong in the archive; a folder's content is asked about all the same.
        mtime_ns: the time of every entry; None for their own.

    Raises:
        OSError: ESTALE when folders were moved meanwhile; EIO when a file shrank while it was read.
    """
    writer = _writer(sink, mtime_ns)
    _below(writer, folder_fd, overlay=overlay, leave_out=leave_out)
    writer.close()


def pack_several(folders: Sequence[tuple[bytes, int]], sink: Sink, mtime_ns: int | None = None) -> None:
    """Write one archive of several folders, each under its name, a single path; otherwise as :func:`pack`."""
    writer = _writer(sink, mtime_ns)
    for name, folder_fd in folders:
        writer.add(_entry(Node(name, folder_fd, b".", os.stat(folder_fd))))
        _below(writer, folder_fd, prefix=name + b"/")
    writer.close()


def pack_together(folder_fds: Sequence[int], sink: Sink, mtime_ns: int | None = None) -> None:
    """Write one archive of what is below several folders that have no file in common; otherwise as :func:`pack`.

    A folder that more than one of them has is told of once, as the first has it.
    """
    writer = _writer(sink, mtime_ns)
    told: set[bytes] = set()

    def known(node: Node) -> bool:
        if not stat.S_ISDIR(node.status.st_mode):
            return False
        seen = node.path in told
        told.add(node.path)
        return seen

    for folder_fd in folder_fds:
        _below(writer, folder_fd, leave_out=known)
    writer.close()


def pack_one(folder_fd: int, name: bytes, sink: Sink, *, as_name: bytes, remap: Remap | None = None) -> None:
    """Write the archive of what is called ``name`` in a folder and, for a folder, of all below it; blocking.

    Args:
        folder_fd: the folder it is in, open for reading.
        name: one name, not followed when it is a symlink; "." for the folder itself.
        sink: gets the archive.
        as_name: what it is called in the archive.
        remap: of the user namespace that sees the files, whose ids the archive is to have.

    Raises:
        OSError: there is no such name; else as :func:`pack`.
    """
    writer = TarWriter(sink) if remap is None else _Seen(sink, remap)
    status = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    node = Node(as_name, folder_fd, name, status)
    if stat.S_ISREG(status.st_mode):
        _file(writer, node, {})
    elif stat.S_IFMT(status.st_mode) in _KINDS:
        writer.add(_entry(node))
    if stat.S_ISDIR(status.st_mode):
        fd = os.open(name, FOLDER, dir_fd=folder_fd)
        try:
            _below(writer, fd, prefix=as_name + b"/")
        finally:
            os.close(fd)
    writer.close()


def _below(
    writer: TarWriter,
    folder_fd: int,
    *,
    prefix: bytes = b"",
    overlay: bool = False,
    leave_out: Callable[[Node], bool] = nothing,
) -> None:
    links: dict[tuple[int, int], bytes] = {}
    for found in walk(folder_fd):
        if leave_out(found):
            continue
        node = found._replace(path=prefix + found.path)
        if overlay and node.name.startswith(
            marks.WHITEOUT_PREFIX
        ):  # fuse-overlayfs marks folders so; an image cannot
            if node.name == marks.OPAQUE_MARK and not marks.is_opaque(node.folder_fd):
                writer.add(_mark(node.path))
        elif overlay and marks.is_whiteout(node.status):
            writer.add(_mark(node.path[: -len(node.name)] + marks.WHITEOUT_PREFIX + node.name))
        elif stat.S_ISREG(node.status.st_mode):
            _file(writer, node, links)
        elif stat.S_IFMT(node.status.st_mode) in _KINDS:
            writer.add(_entry(node))
            if overlay and stat.S_ISDIR(node.status.st_mode) and marks.is_opaque_in(node.name, node.folder_fd):
                writer.add(_mark(node.path + b"/" + marks.OPAQUE_MARK))


class _Dated(TarWriter):
    """Gives every entry one time."""

    def __init__(self, sink: Sink, mtime_ns: int) -> None:
        super().__init__(sink)
        self._mtime_ns = mtime_ns

    def add(self, entry: Entry, content: Iterable[bytes] = ()) -> None:
        """Write one entry."""
        entry.mtime_ns = self._mtime_ns
        super().add(entry, content)


class _Seen(TarWriter):
    """Gives every entry the ids that a user namespace sees."""

    def __init__(self, sink: Sink, remap: Remap) -> None:
        super().__init__(sink)
        self._remap = remap

    def add(self, entry: Entry, content: Iterable[bytes] = ()) -> None:
        """Write one entry."""
        entry.uid, entry.gid = self._remap.inside(entry.uid, entry.gid)
        super().add(entry, content)


def _writer(sink: Sink, mtime_ns: int | None) -> TarWriter:
    return TarWriter(sink) if mtime_ns is None else _Dated(sink, mtime_ns)


def _mark(name: bytes) -> Entry:
    return Entry(name, Kind.FILE, mode=0)


def _file(writer: TarWriter, node: Node, links: dict[tuple[int, int], bytes]) -> None:
    inode = (node.status.st_dev, node.status.st_ino)
    if node.status.st_nlink > 1:
        if (first := links.get(inode)) is not None:
            entry = _entry(node)
            entry.kind, entry.target, entry.size, entry.xattrs = Kind.HARDLINK, first, 0, {}
            writer.add(entry)
            return
        links[inode] = node.path
    fd = os.open(node.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=node.folder_fd)
    try:
        entry = _entry(node)
        entry.size = os.fstat(fd).st_size
        writer.add(entry, _content(fd, entry.size))
    finally:
        os.close(fd)


def _content(fd: int, size: int) -> Iterator[bytes]:
    """Yield exactly ``size`` bytes: a file that grows meanwhile is cut, one that shrinks is filled with zeros."""
    while size:
        data = os.read(fd, min(_CHUNK, size)) or bytes(min(_CHUNK, size))
        size -= len(data)
        yield data


def _entry(node: Node) -> Entry:
    status = node.status
    kind = _KINDS[stat.S_IFMT(status.st_mode)]
    return Entry(
        name=node.path + (b"/" if kind is Kind.FOLDER else b""),
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        mtime_ns=status.st_mtime_ns // _NS * _NS,
        size=status.st_size if kind is Kind.FILE else 0,
        target=os.readlink(node.name, dir_fd=node.folder_fd) if kind is Kind.SYMLINK else b"",
        device=(os.major(status.st_rdev), os.minor(status.st_rdev)),
        xattrs=_attributes(node),
    )


def _attributes(node: Node) -> dict[str, bytes]:
    found = attributes_of(f"/proc/self/fd/{node.folder_fd}/".encode() + node.name)
    return {name: value for name, value in found.items() if not name.startswith((*marks.PRIVATE_PREFIXES, "system."))}
