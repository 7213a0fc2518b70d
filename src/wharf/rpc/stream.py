"""One stream of an HTTP/2 connection: headers, bytes both ways under flow control, trailers."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Protocol

from wharf.rpc import frames

Headers = list[tuple[str, str]]
_WORTH_TELLING: Final = 1 << 20  # a quarter of the window that we give


class Wire(Protocol):
    """What a stream needs of its connection."""

    def send_headers(self, stream: Stream, headers: Headers, *, end: bool) -> None:
        """Send headers or trailers."""

    async def send_data(self, stream: Stream, data: bytes, *, end: bool) -> None:
        """Send bytes as the other side's windows allow."""

    def send_reset(self, stream: Stream, code: int) -> None:
        """Give the stream up."""

    def consumed(self, stream: Stream, count: int) -> None:
        """Let the other side send so many bytes more."""


class StreamReset(ConnectionError):
    """The other side gave the stream up, or the connection is gone.

    Attributes:
        code: why (RFC 9113, 7).
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Stream:
    """Fed by its connection; read by one task."""

    __slots__ = (
        "_changed", "_error", "_inbox", "_owed", "_unread", "_widened", "_wire", "answered", "ended", "headers", "id",
        "local_ended", "on_reset", "send_window", "trailers",
    )  # fmt: skip

    def __init__(self, wire: Wire, stream_id: int, send_window: int) -> None:
        self.id = stream_id
        self.headers: Headers | None = None
        self.trailers: Headers | None = None
        self.ended = False  # the other side sends no more
        self.local_ended = False  # we send no more
        self.send_window = send_window
        self._owed = 0  # bytes that came and were not given back to the other side's window yet
        self.answered = False  # we have said something
        self.on_reset: asyncio.Task[object] | None = None  # cancelled when the stream is lost
        self._wire = wire
        self._inbox: deque[bytes] = deque()  # pieces as they came: a long buffer would be moved again and again
        self._unread = 0  # bytes in it
        self._changed = asyncio.Event()
        self._widened = asyncio.Event()
        self._error: StreamReset | None = None

    # what the connection calls

    def feed_headers(self, headers: Headers) -> None:
        """Take headers, or trailers after them."""
        if self.headers is None:
            self.headers = headers
        else:
            self.trailers = headers
        self._changed.set()

    def feed(self, data: bytes, window: int) -> bool:
        """Take bytes; False when they are more than the window allowed."""
        self._inbox.append(data)
        self._unread += len(data)
        self._owed += len(data)
        self._changed.set()
        return self._owed <= window

    def feed_end(self) -> None:
        """Note that no more come."""
        self.ended = True
        self._changed.set()

    def lose(self, error: StreamReset) -> None:
        """Wake who waits, with an error."""
        if self._error is None:
            self._error = error
        self._changed.set()
        self._widened.set()
        if self.on_reset is not None:
            self.on_reset.cancel()
            self.on_reset = None

    def widen(self, more: int) -> None:
        """Allow so many bytes more to be sent, or fewer; wakes a sender that waits for any window."""
        self.send_window += more
        self._widened.set()

    # what a call uses

    def check(self) -> None:
        """Raise StreamReset once the stream is lost."""
        if self._error is not None:
            raise self._error

    async def wait_headers(self) -> Headers:
        """Return the first headers.

        Raises:
            StreamReset: there will be none.
        """
        while self.headers is None:
            await self._wait()
        return self.headers

    def take(self, most: int) -> bytes:
        """Return the bytes that are here, at most so many, without waiting."""
        data = self._taken(min(most, self._unread))
        self._took(len(data))
        return data

    def put_back(self, data: bytes) -> None:
        """Let bytes that were taken be the next ones again."""
        if data:
            self._inbox.appendleft(data)
            self._unread += len(data)

    async def read(self, count: int) -> bytes:
        """Return exactly so many bytes; fewer only at the end.

        Raises:
            StreamReset: the stream is lost.
        """
        while self._unread < count and not self.ended:
            self._give_back(self._owed)  # what is wanted may be more than a window
            await self._wait()
        return self.take(count)

    def _took(self, count: int) -> None:
        self._unread -= count
        if (gone := self._owed - self._unread) >= _WORTH_TELLING:
            self._give_back(gone)

    def _taken(self, count: int) -> bytes:
        """Take so many bytes out; they are there."""
        if not count:
            return b""
        pieces: list[bytes] = []
        while count:
            piece = self._inbox.popleft()
            if len(piece) > count:
                self._inbox.appendleft(piece[count:])
                piece = piece[:count]
            pieces.append(piece)
            count -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def send_headers(self, headers: Headers, *, end: bool = False) -> None:
        """Send headers; with ``end``, nothing after them."""
        self.check()
        self.answered = True
        self.local_ended = self.local_ended or end
        self._wire.send_headers(self, headers, end=end)

    async def send(self, data: bytes, *, end: bool = False) -> None:
        """Send bytes; waits while the other side is slow.

        Raises:
            StreamReset: the stream is lost.
        """
        self.check()
        self.local_ended = self.local_ended or end
        await self._wire.send_data(self, data, end=end)

    async def wait_window(self) -> None:
        """Wait until a window may have grown.

        Raises:
            StreamReset: the stream is lost.
        """
        self._widened.clear()
        await self._widened.wait()
        self.check()

    def reset(self, code: int = frames.CANCEL) -> None:
        """Give the stream up, if it is not over; what came and nobody read is dropped."""
        self._inbox.clear()
        self._unread = 0
        self._give_back(self._owed)
        if self._error is None and not (self.ended and self.local_ended):
            self._wire.send_reset(self, code)
            self.lose(StreamReset(code, "given up"))

    def _give_back(self, count: int) -> None:
        if count > 0:
            self._owed -= count
            self._wire.consumed(self, count)

    async def _wait(self) -> None:
        self.check()
        if self.ended:
            raise StreamReset(frames.PROTOCOL_ERROR, "the stream ended without an answer")
        self._changed.clear()
        await self._changed.wait()  # what came before the stream was lost is read first
