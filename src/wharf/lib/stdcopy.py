"""Docker's framing of stdout and stderr on one stream: 8 bytes of head, then the payload (Engine API, "attach").

::

    [stream: 1 = stdout, 2 = stderr] [0] [0] [0] [length, 4 bytes, big-endian] payload
"""

from __future__ import annotations

import struct

STDIN, STDOUT, STDERR = 0, 1, 2
HEAD_BYTES = 8
_HEAD = struct.Struct(">BxxxI")


def frame(stream: int, payload: bytes) -> bytes:
    """Return ``payload`` as one frame of ``stream``."""
    return _HEAD.pack(stream, len(payload)) + payload


class Demultiplexer:
    """Takes framed bytes in any pieces and gives the payloads back, piece by piece."""

    __slots__ = ("_head", "_left", "_stream")

    def __init__(self) -> None:
        self._head = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return (stream, payload) for what ``data`` completes; a payload may come in several pieces.

        Raises:
            ValueError: the bytes are not frames.
        """
        found = []
        while data:
            if self._left:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                found.append((self._stream, piece))
                continue
            missing = HEAD_BYTES - len(self._head)
            self._head, data = self._head + data[:missing], data[missing:]
            if len(self._head) == HEAD_BYTES:
                self._stream, self._left = _HEAD.unpack(self._head)
                if self._stream > STDERR + 1 or any(self._head[1:4]):
                    raise ValueError(f"not a stream frame: {self._head!r}")
                self._head = b""
        return found
