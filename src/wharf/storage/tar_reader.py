"""Read a tar stream once, front to back: ustar, pax and GNU headers, with sparse files of all four forms.

Written for hostile input: every size is checked before it is used, names stay bytes, nothing is touched on disk.
Sparse forms: GNU tar manual, "Storing Sparse Files".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from wharf.storage.tar_entry import BLOCK, Corrupt, Entry
from wharf.storage.tar_header import Records, decimal, number, parse_entry, parse_records, verify

MAX_HEADER_BYTES: Final = 1024 * 1024
_MAX_EXTENTS: Final = 100_000
_CHUNK: Final = 256 * 1024
_PIECE: Final = 1024 * 1024
_ZEROS: Final = bytes(BLOCK)

Extents = list[tuple[int, int]]


class Source(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""


class TarReader:
    """Iterate over the entries of ``source``; :meth:`pieces` gives the content of the one just returned."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._left = 0  # bytes of the present entry's content that are still in the stream
        self._padding = 0
        self._globals: Records = {}
        self._extents: Extents = []
        self._ahead = b""  # read of the source and not yet given: headers are small, and reads have their price
        self._at = 0

    def _read(self, size: int) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        if self._at >= len(self._ahead):
            if size >= _CHUNK:
                return self._source.read(size)
            self._ahead, self._at = self._source.read(_CHUNK), 0
        start = self._at
        data = self._ahead[start : start + size]
        self._at = start + len(data)
        return data

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self._next()) is not None:
            yield entry
            self._skip()

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield offset and data of the present entry; holes are left out."""
        for start, length in self._extents:
            offset, end = start, start + length
            while offset < end:
                data = self._read(min(_PIECE, end - offset))
                if not data:
                    raise Corrupt("corrupt archive: it ends within a file")
                self._left -= len(data)
                yield offset, data
                offset += len(data)

    def _skip(self) -> None:
        left = self._left + self._padding
        while left:
            data = self._read(min(_CHUNK, left))
            if not data and left <= self._padding:
                break  # the last file's padding is missing: docker build -f - writes that
            if not data:
                raise Corrupt("corrupt archive: it ends within a file")
            left -= len(data)
        self._left = self._padding = 0

    def _exactly(self, size: int) -> bytes:
        data = self._read(size)
        while 0 < len(data) < size and (more := self._read(size - len(data))):
            data += more
        if len(data) < size:
            raise Corrupt("corrupt archive: it ends within a header")
        return data

    def _header(self) -> bytes | None:
        """Return the next header; None at the end, which is a block of zeros or, as some write it, nothing."""
        block = self._read(BLOCK)
        if not block:
            return None
        if len(block) < BLOCK:
            block += self._exactly(BLOCK - len(block))
        if block == _ZEROS:
            return None
        verify(block)
        return block

    def _next(self) -> Entry | None:
        records: Records = dict(self._globals)
        long = {b"L": b"", b"K": b""}
        extended = False
        while (block := self._header()) is not None:
            flag = block[156:157]
            if flag in long:
                long[flag] = self._body(block).rstrip(b"\0")
            elif flag == b"g":
                self._globals.update(parse_records(self._body(block)))
                records = self._globals | records
            elif flag in (b"x", b"X"):
                records.update(parse_records(self._body(block)))
            else:
                return self._begin(parse_entry(block, records, long[b"L"], long[b"K"]), block, records)
            extended = flag != b"g"
        if extended:
            raise Corrupt("corrupt archive: it ends after an extended header")
        return None

    def _body(self, block: bytes) -> bytes:
        size = number(block[124:136])
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise Corrupt(f"corrupt archive: a header of {size} bytes")
        return self._exactly(-(-size // BLOCK) * BLOCK)[:size]

    def _begin(self, entry: Entry, block: bytes, records: Records) -> Entry:
        """Take note of the content that follows, and of its holes."""
        self._left = entry.size
        self._padding = -entry.size % BLOCK
        if block[156:157] == b"S":
            entry.extents = self._gnu_map(block)
            entry.size = number(block[483:495])
        elif records.get(b"GNU.sparse.major") == b"1":
            entry.extents = self._leading_map()
        elif b"GNU.sparse.map" in records:
            entry.extents = _pairs([decimal(text) for text in records[b"GNU.sparse.map"].split(b",") if text])
        if entry.extents is None:
            self._extents = [(0, entry.size)]
            return entry
        if block[156:157] != b"S":
            entry.name = records.get(b"GNU.sparse.name") or entry.name
            size = records.get(b"GNU.sparse.realsize") or records.get(b"GNU.sparse.size")
            entry.size = decimal(size or b"")
        _check(entry.extents, entry.size, self._left)
        self._extents = entry.extents
        return entry

    def _gnu_map(self, block: bytes) -> Extents:
        fields, more = block[386:482], block[482]
        numbers: list[int] = []
        while True:
            for at in range(0, len(fields) - 23, 24):
                if fields[at + 12 : at + 24].strip(b"\0 "):
                    numbers += (number(fields[at : at + 12]), number(fields[at + 12 : at + 24]))
            if not more:
                return _pairs(numbers)
            if len(numbers) > 2 * _MAX_EXTENTS:
                raise Corrupt("corrupt archive: a sparse map is too long")
            block = self._exactly(BLOCK)  # follows the header and is not counted in the entry's size
            fields, more = block[:504], block[504]

    def _leading_map(self) -> Extents:
        """Return the map that stands before the data (GNU tar manual, "PAX Format, Version 1.0")."""
        lines: list[bytes] = []
        rest = b""
        while not lines or len(lines) < 1 + 2 * decimal(lines[0]):
            if self._left < BLOCK or len(lines) > 2 * _MAX_EXTENTS or len(rest) > BLOCK:
                raise Corrupt("corrupt archive: a sparse map without an end")
            *complete, rest = (rest + self._exactly(BLOCK)).split(b"\n")
            self._left -= BLOCK
            lines += complete
        return _pairs([decimal(line) for line in lines[1 : 1 + 2 * decimal(lines[0])]])


def _pairs(numbers: list[int]) -> Extents:
    if len(numbers) % 2 or len(numbers) > 2 * _MAX_EXTENTS:
        raise Corrupt("corrupt archive: a sparse map is odd or too long")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _check(extents: Extents, size: int, stored: int) -> None:
    end = total = 0
    for offset, length in extents:
        if offset < end or length < 0:
            raise Corrupt("corrupt archive: a sparse map is out of order")
        end = offset + length
        total += length
    if end > size or total > stored:
        raise Corrupt("corrupt archive: a sparse map goes beyond its file")
