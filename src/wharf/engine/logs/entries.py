"""Lines as log plugins are sent them and send them back: LogEntry messages, each after its length.

By docker docs, "Docker log driver plugins": four bytes of length, big-endian, and a message of Protocol Buffers
(api/types/plugins/logdriver/entry.proto of moby). Pure.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from wharf.errors import DataLoss
from wharf.lib import protobuf

_LENGTH: Final = struct.Struct(">I")
_MAX_BYTES: Final = 1 << 20  # of one entry that comes back: sixty times what is ever sent
_SOURCE, _TIME, _LINE, _PARTIAL, _METADATA = range(1, 6)
_LAST, _ID, _ORDINAL = range(1, 4)


class Part(NamedTuple):
    """Which part of a line an entry is."""

    id: str  # of the line
    ordinal: int  # from 1
    last: bool


class Entry(NamedTuple):
    """One entry; what comes back has no part."""

    line: bytes  # without its newline
    source: str  # stdout | stderr
    time_ns: int
    part: Part | None = None


def pack(entry: Entry) -> bytes:
    """Return an entry as it is on the stream, less what has its default value (as Go's encoder has it)."""
    fields: list[tuple[int, int | str | bytes]] = [(_SOURCE, entry.source), (_TIME, entry.time_ns)]
    if entry.line:
        fields.append((_LINE, entry.line))
    if (part := entry.part) is not None:
        about: list[tuple[int, int | str | bytes]] = [(_LAST, 1)] if part.last else []
        fields += [(_PARTIAL, 1), (_METADATA, protobuf.encode([*about, (_ID, part.id), (_ORDINAL, part.ordinal)]))]
    message = protobuf.encode(fields)
    return _LENGTH.pack(len(message)) + message


class Unpacker:
    """Takes the bytes of a stream in any pieces, and gives the entries back."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def complete(self) -> bool:
        """Whether the bytes so far end with an entry."""
        return not self._rest

    def feed(self, data: bytes) -> list[Entry]:
        """Return the entries that ``data`` completes.

        Raises:
            DataLoss: these are no entries.
        """
        found, rest, at = [], self._rest + data, 0
        while len(rest) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(rest, at)
            if length > _MAX_BYTES:
                raise DataLoss(f"an entry of a log cannot have {length} bytes")
            end = at + _LENGTH.size + length
            if len(rest) < end:
                break
            found.append(_entry(rest[at + _LENGTH.size : end]))
            at = end
        self._rest = rest[at:]
        return found


def _entry(message: bytes) -> Entry:
    try:
        fields = protobuf.decode(message)
    except ValueError as error:
        raise DataLoss("an entry of a log is no message of Protocol Buffers") from error
    line, source, time_ns = fields.get(_LINE, b""), fields.get(_SOURCE, b""), fields.get(_TIME, 0)
    if not isinstance(line, bytes) or not isinstance(source, bytes) or not isinstance(time_ns, int):
        raise DataLoss("an entry of a log has fields of other types")
    if time_ns >> 64:
        raise DataLoss("an entry of a log has a time of more than 64 bits")
    return Entry(line, source.decode("utf-8", "replace"), time_ns - (time_ns >> 63 << 64))  # an int64, as a varint
