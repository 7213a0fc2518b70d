"""The multiplexed stream: stdout and stderr of a container without a terminal over one connection.

::

    ┌──────────┬─────────┬──────────────────────┬─────────────┐
    │ stream 1 │ 0  0  0 │ length, 4, big-endian│ data        │     stream: 0 stdin, 1 stdout, 2 stderr, 3 error
    └──────────┴─────────┴──────────────────────┴─────────────┘

(Engine API, "Attach to a container", Stream format.)
"""

from __future__ import annotations

from wharf.client.errors import ProtocolError

STDOUT = 1
STDERR = 2
ERROR = 3


class Demultiplexer:
    """Takes bytes as they come and gives back pieces of streams; never holds more than a header back."""

    __slots__ = ("_header", "_left", "_stream")

    def __init__(self) -> None:
        self._header = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return (stream, data) pieces in order.

        Raises:
            ProtocolError: a header names no stream.
        """
        pieces: list[tuple[int, bytes]] = []
        view = memoryview(data)
        while view:
            if self._left:
                piece = view[: self._left]
                pieces.append((self._stream, bytes(piece)))
                self._left -= len(piece)
                view = view[len(piece) :]
                continue
            missing = 8 - len(self._header)
            self._header += bytes(view[:missing])
            view = view[missing:]
            if len(self._header) == 8:
                self._begin()
        return pieces

    def _begin(self) -> None:
        stream = self._header[0]
        if stream > ERROR or self._header[1:4] != b"\0\0\0":
            raise ProtocolError(f"unrecognized stream in the multiplexed output: {self._header!r}")
        self._stream, self._left = stream, int.from_bytes(self._header[4:8], "big")
        self._header = b""
