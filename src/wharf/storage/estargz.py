"""Layers whose files can be fetched one by one (stargz-snapshotter, docs/estargz): gzip for everybody else.

::

    gzip: headers │ gzip: a file's content, headers up to the next │ … │ gzip: stargz.index.json │ footer: its place

As BuildKit's, these hold the archive as it is, byte by byte: there is no landmark file (which would be one of the
image's), and what follows the archive's end is the table of contents alone.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from wharf.errors import InvalidArgument
from wharf.lib.digest import Digest, digest_of
from wharf.storage.compression import Compressor, Decompressed, compressor
from wharf.storage.tar_entry import Corrupt, Entry, Kind
from wharf.storage.tar_reader import Source, TarReader
from wharf.storage.tar_writer import Sink, TarWriter

TABLE: Final = "stargz.index.json"
CHUNK_BYTES: Final = 4 << 20
"""Larger files are in several parts, each of its own."""
_FOOTER: Final = struct.Struct("<10sH2sH22s5s8s")
_FOOTER_HEAD: Final = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff"  # RFC 1952: deflate, FEXTRA, no time, unknown system
_PLACE: Final = re.compile(rb"([0-9a-fA-F]{16})STARGZ")  # of the table, in hex
_EMPTY_BLOCK: Final = b"\x01\x00\x00\xff\xff"  # RFC 1951: the last one, stored, of no bytes
_MOST_TABLE_BYTES: Final = 1 << 30
_PIECE: Final = 1 << 18
_NS: Final = 1_000_000_000
_KINDS: Final = {
    Kind.FILE: "reg", Kind.FOLDER: "dir", Kind.SYMLINK: "symlink", Kind.HARDLINK: "hardlink",
    Kind.CHARACTER: "char", Kind.BLOCK: "block", Kind.FIFO: "fifo",
}  # fmt: skip


class Item(msgspec.Struct, omit_defaults=True, rename="camel"):
    """An entry of the archive, or a later part of a file (docs/estargz, "TOCEntry")."""

    name: str
    type: str
    size: int = 0
    modtime: str = ""
    link_name: str = ""
    mode: int | msgspec.UnsetType = msgspec.UNSET
    uid: int | msgspec.UnsetType = msgspec.UNSET
    gid: int | msgspec.UnsetType = msgspec.UNSET
    dev_major: int = 0
    dev_minor: int = 0
    xattrs: dict[str, bytes] = {}
    digest: str = ""
    offset: int = 0  # of its gzip member in the blob
    chunk_offset: int = 0  # in the file
    chunk_size: int = 0  # 0: all that is left of it
    chunk_digest: str = ""


class Table(msgspec.Struct):
    """The table of contents."""

    version: int
    entries: list[Item]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    table: Digest  # of the table's JSON
    diff_id: Digest  # of all that the blob has, decompressed: the archive, and the table behind its end
    size_bytes: int  # of that


def write(source: Source, sink: Sink, level: int | None = None) -> Written:
    """Write an archive as a blob, which is the same for the same archive; blocking.

    Args:
        source: the plain archive.
        sink: gets the blob.
        level: gzip's, 0 to 9; None for a fast one.

    Raises:
        Corrupt: it is no archive.
        InvalidArgument: it has a file that this form cannot hold.
    """
    blob = _Blob(sink, level)
    reader = _Reader(source, blob)
    for entry in reader:
        item = _item(entry)
        blob.items.append(item)
        if entry.kind is Kind.FILE and entry.size:
            blob.begin(item)
            for _ in reader.pieces():
                pass
    reader.drain()
    table = msgspec.json.encode(Table(1, blob.items))
    offset = blob.cut()
    archive = TarWriter(blob)
    archive.add(Entry(TABLE.encode(), Kind.FILE, size=len(table)), [table])
    archive.close()
    blob.cut()
    sink.write(_footer(offset))
    return Written(digest_of(table), Digest(f"sha256:{blob.plain.hexdigest()}"), blob.size_bytes)


class _Reader(TarReader):
    """Passes on what it reads, byte by byte."""

    def __init__(self, source: Source, taken: Sink) -> None:
        super().__init__(source)
        self._taken = taken

    def _read(self, size: int) -> bytes:
        data = super()._read(size)
        self._taken.write(data)
        return data

    def drain(self) -> None:
        """Read what is behind the last entry."""
        while self._read(_PIECE):
            pass


class _Blob:
    """Compresses what is written, in members; knows of which file the next bytes are."""

    def __init__(self, sink: Sink, level: int | None) -> None:
        self.items: list[Item] = []
        self.plain = hashlib.sha256()
        self.size_bytes = 0
        self._sink = sink
        self._level = level
        self._offset = 0
        self._member: Compressor | None = None
        self._file: Item | None = None
        self._left = self._room = 0  # of the file, and of its present part
        self._whole = self._part = hashlib.sha256()

    def cut(self) -> int:
        """End the member that is being written, and return where the next one begins."""
        if self._member is not None:
            self._put(self._member.flush())
            self._member = None
        return self._offset

    def begin(self, item: Item) -> None:
        """Take what comes next for a file's content."""
        self._file, self._left, self._whole = item, item.size, hashlib.sha256()
        self._begin_part(item)

    def write(self, data: bytes) -> None:
        """Take bytes of the archive."""
        self.plain.update(data)
        self.size_bytes += len(data)
        view = memoryview(data)
        while view and self._file is not None:
            part = view[: self._room]
            self._take(self._file, part)
            view = view[len(part) :]
        if view:
            self._compress(view)

    def _take(self, item: Item, data: memoryview) -> None:
        self._compress(data)
        self._whole.update(data)
        self._part.update(data)
        self._left -= len(data)
        self._room -= len(data)
        if self._room:
            return
        self.items[-1].chunk_digest = f"sha256:{self._part.hexdigest()}"
        if self._left:
            following = Item(item.name, "chunk", chunk_offset=item.size - self._left)
            self.items.append(following)
            self._begin_part(following)
        else:
            item.digest = f"sha256:{self._whole.hexdigest()}"
            self._file = None

    def _begin_part(self, item: Item) -> None:
        item.offset = self.cut()
        self._part, self._room = hashlib.sha256(), min(self._left, CHUNK_BYTES)
        item.chunk_size = self._room if self._room < self._left else 0

    def _compress(self, data: memoryview) -> None:
        if self._member is None:
            self._member = compressor("gzip", self._level)
        self._put(self._member.compress(bytes(data)))

    def _put(self, data: bytes) -> None:
        if data:
            self._sink.write(data)
            self._offset += len(data)


def _item(entry: Entry) -> Item:
    name, target = _text(entry.name), _text(entry.target)
    if name.strip("/").removeprefix("./") == TABLE:
        raise InvalidArgument(f"a layer with a file named {TABLE} cannot be stored as estargz")
    if entry.extents is not None:
        raise InvalidArgument(f"a layer with holes in its archive cannot be stored as estargz: {name}")
    is_link = entry.kind in (Kind.SYMLINK, Kind.HARDLINK)
    return Item(
        name,
        _KINDS[entry.kind],
        size=entry.size if entry.kind is Kind.FILE else 0,
        modtime=_time(name, entry.mtime_ns),
        link_name=target if is_link else "",
        mode=entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        dev_major=entry.device[0],
        dev_minor=entry.device[1],
        xattrs=entry.xattrs,
    )


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise InvalidArgument(
            f"a layer with a name that is not UTF-8 cannot be stored as estargz: {name!r}"
        ) from None


def _time(name: str, ns: int) -> str:
    seconds = (ns + _NS // 2) // _NS
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidArgument(
            f"a layer with a time outside the years 1 to 9999 cannot be stored as estargz: {name}"
        ) from None
    return f"{moment.replace(tzinfo=None).isoformat()}Z" if seconds else ""


def _footer(offset: int) -> bytes:
    return _FOOTER.pack(_FOOTER_HEAD, 26, b"SG", 22, b"%016xSTARGZ" % offset, _EMPTY_BLOCK, bytes(8))


def table_digest(path: Path) -> Digest | None:
    """Return the digest of a blob's table of contents; None where it has none; blocking.

    The table is not taken to pieces: a blob may come from anywhere, and a small one hold a table of any size.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size < _FOOTER.size:
            return None
        file.seek(size - _FOOTER.size)
        offset = _offset_in(file.read(_FOOTER.size))
        if offset is None or offset >= size:
            return None
        file.seek(offset)
        digest = hashlib.sha256()
        try:
            for data in _first_file(Decompressed(file, limit=_MOST_TABLE_BYTES)):
                digest.update(data)
        except Corrupt:
            return None  # it ends as such a blob does, and is none
        return Digest(f"sha256:{digest.hexdigest()}")


def _offset_in(footer: bytes) -> int | None:
    head, extra, name, length, told, block, tail = _FOOTER.unpack(footer)
    expected = (26, b"SG", 22, _EMPTY_BLOCK, bytes(8))
    place = _PLACE.fullmatch(told)
    if not head.startswith(b"\x1f\x8b\x08\x04") or (extra, name, length, block, tail) != expected or place is None:
        return None
    return int(place[1], 16)


def _first_file(source: Source) -> Iterator[bytes]:
    reader = TarReader(source)
    entry = next(iter(reader), None)
    if entry is None or entry.name != TABLE.encode():
        raise Corrupt("a table of contents is missing")
    for _, data in reader.pieces():
        yield data
