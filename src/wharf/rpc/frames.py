"""HTTP/2 frames as bytes (RFC 9113, 4 and 6). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

END_STREAM: Final = 1
ACK: Final = 1
END_HEADERS: Final = 4
PADDED: Final = 8
PRIORITIZED: Final = 0x20

HEADER_TABLE_SIZE: Final = 1
ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6

NO_ERROR: Final = 0
PROTOCOL_ERROR: Final = 1
FLOW_CONTROL_ERROR: Final = 3
FRAME_SIZE_ERROR: Final = 6
REFUSED_STREAM: Final = 7
CANCEL: Final = 8
COMPRESSION_ERROR: Final = 9
ENHANCE_YOUR_CALM: Final = 11

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES: Final = 9
DEFAULT_WINDOW: Final = 65535
DEFAULT_FRAME_BYTES: Final = 16384
MAX_WINDOW: Final = 2**31 - 1


class Violation(Exception):
    """The other side broke the protocol; the connection ends with ``code`` (RFC 9113, 7)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def settings(values: dict[int, int]) -> bytes:
    """Return a SETTINGS frame."""
    payload = b"".join(name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in values.items())
    return frame(SETTINGS, 0, 0, payload)


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """Yield what a SETTINGS frame sets.

    Raises:
        Violation: its length is wrong.
    """
    if len(payload) % 6:
        raise Violation(FRAME_SIZE_ERROR, "a SETTINGS frame of a wrong length")
    for at in range(0, len(payload), 6):
        yield int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 6], "big")


def number(payload: bytes) -> int:
    """Return the 31 bits that WINDOW_UPDATE and RST_STREAM carry.

    Raises:
        Violation: the length is wrong.
    """
    if len(payload) != 4:
        raise Violation(FRAME_SIZE_ERROR, "a frame of a wrong length")
    return int.from_bytes(payload, "big") & MAX_WINDOW


def unpadded(flags: int, payload: bytes) -> bytes:
    """Return a payload without its padding, and without the priority in front of it.

    Raises:
        Violation: the padding is longer than the frame.
    """
    padding = 0
    if flags & PADDED:
        padding, payload = (payload[0], payload[1:]) if payload else (1, b"")
    if flags & PRIORITIZED:
        payload = payload[5:]
    if padding > len(payload):
        raise Violation(PROTOCOL_ERROR, "padding that is longer than its frame")
    return payload[: len(payload) - padding]
