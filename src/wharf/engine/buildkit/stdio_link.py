"""A connection over the standard input and output of a command (BuildKit, frontend/gateway/grpcclient)."""

from __future__ import annotations

from typing import Final

from wharf.lib.stdcopy import STDOUT, Demultiplexer
from wharf.rpc.link import Link

_LAST_BYTES: Final = 4096


class StdioLink:
    """A link over a command's streams, which come framed (:class:`wharf.rpc.link.Link`); owns ``streams``."""

    def __init__(self, streams: Link) -> None:
        self._streams = streams
        self._frames = Demultiplexer()
        self._said = b""
        self.at_end = False  # whether its output has ended

    @property
    def last_words(self) -> str:
        """The end of what it has written to standard error."""
        return self._said.decode("utf-8", "replace").strip()

    async def receive(self) -> bytes:
        """Wait for bytes of its standard output; b"" when no more come."""
        while data := await self._more():
            found = self._frames.feed(data)
            self._said = b"".join([self._said, *(piece for stream, piece in found if stream != STDOUT)])[
                -_LAST_BYTES:
            ]
            if output := b"".join(piece for stream, piece in found if stream == STDOUT):
                return output
        return b""

    async def _more(self) -> bytes:
        data = b""
        try:
            data = await self._streams.receive()
        finally:
            self.at_end = not data
        return data

    def write(self, data: bytes) -> None:
        """Send bytes to its standard input."""
        self._streams.write(data)

    async def drained(self) -> None:
        """Wait while it is slow."""
        await self._streams.drained()

    def close(self) -> None:
        """End the connection."""
        self._streams.close()
