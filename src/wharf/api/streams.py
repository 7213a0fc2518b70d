"""What the HTTP front is given to hand on: an attached process, a log, an archive."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Protocol

from wharf.spec.engine_api import container


class AttachedStream(Protocol):
    """The engine's end of an attached process; whoever gets it owns the socket and closes it.

    ``socket`` is connected and non-blocking. From it come Docker's own bytes: frames, or raw bytes when ``tty``;
    its end is the end of the process's output. Into it goes raw stdin; ``shutdown(SHUT_WR)`` is stdin's end.
    """

    @property
    def socket(self) -> socket.socket:
        """The byte stream."""

    @property
    def tty(self) -> bool:
        """Whether the bytes are a terminal's, and so not framed."""


class LogStream(Protocol):
    """Log bytes, framed already unless ``tty``; ``aclose`` (when there) stops following."""

    @property
    def tty(self) -> bool:
        """Whether the bytes are a terminal's, and so not framed."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Chunks of at most some tens of kilobytes."""


class Archive(Protocol):
    """A path of a container and its archive; closed by whoever gets it."""

    @property
    def stat(self) -> container.ContainerPathStat:
        """What the path is."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The archive; nothing is read before."""

    async def __anext__(self) -> bytes:
        """The next chunk."""

    async def aclose(self) -> None:
        """Let go of the container."""
