"""D-Bus messages as bytes: what a small client of systemd needs of the specification; pure.

Types are the specification's letters: ``s o g u i b t a ( v``, and ``y`` for bytes. A variant is (type, value).
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

CALL: Final = 1
RETURN: Final = 2
ERROR: Final = 3
SIGNAL: Final = 4

_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SENDER, _SIGNATURE = range(1, 9)
_FIELDS: Final = {
    "path": (_PATH, "o"),
    "interface": (_INTERFACE, "s"),
    "member": (_MEMBER, "s"),
    "error": (_ERROR_NAME, "s"),
    "reply_serial": (_REPLY_SERIAL, "u"),
    "destination": (_DESTINATION, "s"),
    "sender": (_SENDER, "s"),
    "signature": (_SIGNATURE, "g"),
}
_NAMES: Final = {number: name for name, (number, _) in _FIELDS.items()}
_FORMATS: Final = {"y": "<B", "b": "<I", "i": "<i", "u": "<I", "t": "<Q", "x": "<q"}
_SIZES: Final = {"y": 1, "b": 4, "i": 4, "u": 4, "t": 8, "x": 8, "s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "v": 1}
HEAD_BYTES: Final = 16
_VERSION: Final = 1
_HEADER_TYPE: Final = "a(yv)"


class Message:
    """One message: its kind, its serial number, its header fields by name, and its body."""

    __slots__ = ("body", "fields", "kind", "serial")

    def __init__(self, kind: int, serial: int, fields: dict[str, Any], body: list[Any]) -> None:
        self.kind = kind
        self.serial = serial
        self.fields = fields
        self.body = body

    def __repr__(self) -> str:
        return f"{('?', 'call', 'return', 'error', 'signal')[self.kind]} {self.serial} {self.fields} {self.body}"


def split(signature: str) -> list[str]:
    """Return the complete types of a signature, one by one."""
    types, place = [], 0
    while place < len(signature):
        end = _end(signature, place)
        types.append(signature[place:end])
        place = end
    return types


def _end(signature: str, place: int) -> int:
    if signature[place] == "a":
        return _end(signature, place + 1)
    if signature[place] != "(":
        return place + 1
    place += 1
    while signature[place] != ")":
        place = _end(signature, place)
    return place + 1


def encode(message: Message) -> bytes:
    """Return the bytes of a message; its field ``signature`` tells the types of the body."""
    signature = message.fields.get("signature", "")
    body = _Writer()
    for kind, value in zip(split(signature), message.body, strict=True):
        body.put(kind, value)
    rows = [(_FIELDS[name][0], (_FIELDS[name][1], value)) for name, value in message.fields.items()]
    head = _Writer(struct.pack("<cBBBII", b"l", message.kind, 0, _VERSION, len(body.data), message.serial))
    head.put(_HEADER_TYPE, rows)
    head.align(8)
    return bytes(head.data + body.data)


def length(head: bytes) -> int:
    """Return how long a message is whose first 16 bytes these are."""
    body, _, fields = struct.unpack_from("<III", head, 4)
    return int(HEAD_BYTES + -(-fields // 8) * 8 + body)


def decode(data: bytes) -> Message:
    """Return the message that ``data`` is.

    Raises:
        ValueError: it is not a message of a little-endian peer.
    """
    if data[:1] != b"l" or len(data) < HEAD_BYTES or len(data) != length(data):
        raise ValueError("not a D-Bus message of a little-endian peer")
    kind = data[1]
    _, serial = struct.unpack_from("<II", data, 4)
    reader = _Reader(data, 12)
    try:
        rows = reader.get(_HEADER_TYPE)
        fields = {_NAMES[number]: value for number, (_, value) in rows if number in _NAMES}
        reader.align(8)
        body = [reader.get(one) for one in split(fields.get("signature", ""))]
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"malformed D-Bus message: {error}") from error
    return Message(kind, serial, fields, body)


class _Writer:
    __slots__ = ("data",)

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)

    def align(self, size: int) -> None:
        self.data += b"\0" * (-len(self.data) % size)

    def put(self, kind: str, value: Any) -> None:
        first = kind[0]
        self.align(_SIZES[first])
        if first in _FORMATS:
            self.data += struct.pack(_FORMATS[first], value)
        elif first in "sog":
            text = value.encode()
            self.data += struct.pack("<B" if first == "g" else "<I", len(text)) + text + b"\0"
        elif first == "v":
            self.put("g", value[0])
            self.put(value[0], value[1])
        elif first == "(":
            for one, member in zip(split(kind[1:-1]), value, strict=True):
                self.put(one, member)
        else:
            self._put_array(kind[1:], value)

    def _put_array(self, kind: str, values: Sequence[Any]) -> None:
        place = len(self.data)
        self.data += b"\0" * 4
        self.align(_SIZES[kind[0]])
        start = len(self.data)
        for value in values:
            self.put(kind, value)
        struct.pack_into("<I", self.data, place, len(self.data) - start)


class _Reader:
    __slots__ = ("_data", "_place")

    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self._place = place

    def align(self, size: int) -> None:
        self._place += -self._place % size

    def get(self, kind: str) -> Any:
        first = kind[0]
        self.align(_SIZES[first])
        if first in _FORMATS:
            return self._number(_FORMATS[first])
        if first in "sog":
            return self._text(self._number("<B" if first == "g" else "<I"))
        if first == "v":
            signature = self.get("g")
            return signature, self.get(signature)
        if first == "(":
            return tuple(self.get(one) for one in split(kind[1:-1]))
        size = self._number("<I")
        self.align(_SIZES[kind[1]])
        end = self._place + size
        values = []
        while self._place < end:
            values.append(self.get(kind[1:]))
        return values

    def _number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._place)
        self._place += struct.calcsize(form)
        return int(value)

    def _text(self, size: int) -> str:
        text = self._data[self._place : self._place + size]
        self._place += size + 1
        return text.decode()
