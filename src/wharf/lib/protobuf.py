"""Protocol Buffers' wire format (protobuf.dev, "Encoding"): just what small messages without a schema need. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    Value = int | str | bytes
    """A varint (also bool, negative int32, enum), or what has a length: text, bytes, an encoded message."""

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_FIXED32: Final = 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}
_MASK_64: Final = (1 << 64) - 1


def encode(fields: Iterable[tuple[int, Value]]) -> bytes:
    """Return the message of these (number, value), in order; a repeated field comes several times."""
    parts: list[bytes] = []
    for number, value in fields:
        if isinstance(value, int):
            parts += (_varint(number << 3 | _VARINT), _varint(value & _MASK_64))
        else:
            data = value.encode(errors="surrogateescape") if isinstance(value, str) else value
            parts += (_varint(number << 3 | _LENGTH), _varint(len(data)), data)
    return b"".join(parts)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(data: bytes) -> dict[int, int | bytes]:
    """Return the last value of each field: a varint as a number, everything else as bytes.

    Raises:
        ValueError: it is no message.
    """
    fields: dict[int, int | bytes] = {}
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            fields[key >> 3], at = _read_varint(data, at)
            continue
        length, at = _read_varint(data, at) if kind == _LENGTH else (_WIDTHS.get(kind, -1), at)
        if length < 0 or at + length > len(data):
            raise ValueError("not a protobuf message")
        fields[key >> 3] = data[at : at + length]
        at += length
    return fields


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at == len(data) or shift > 63:
            raise ValueError("not a protobuf message")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
