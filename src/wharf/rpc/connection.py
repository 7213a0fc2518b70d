"""One HTTP/2 connection, as the side that asks or the side that serves (RFC 9113).

Only what gRPC uses: no push, no priorities. What the other side may make us keep is bounded: headers, streams, and
bytes that nobody has read yet, by the windows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from hpack import Decoder, Encoder, HPACKError

from wharf.rpc import frames
from wharf.rpc.frames import Violation, frame
from wharf.rpc.link import Link
from wharf.rpc.stream import Headers, Stream, StreamReset

MAX_FRAME_BYTES: Final = 128 * 1024
STREAM_WINDOW: Final = 4 * 1024 * 1024
CONNECTION_WINDOW: Final = 16 * 1024 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_STREAMS: Final = 256
_MOST_IDLE_RESETS: Final = 1024  # streams opened and given up at once, with nothing said

logging.getLogger("hpack").setLevel(logging.WARNING)  # it tells each header, and headers may be secret

Accept = Callable[[Stream], None]


class Connection:
    """Give it a link and :meth:`run` it; :meth:`open` streams, or be told of those that the other side opens."""

    def __init__(self, link: Link, *, accept: Accept | None = None) -> None:
        """Serve with ``accept``, which takes each new stream; ask without it."""
        self._link = link
        self._accept = accept
        self._pending = b""
        self._preface = len(frames.PREFACE) if accept else 0
        self._decoder = Decoder(max_header_list_size=MAX_HEADER_BYTES)
        self._encoder = Encoder()
        self._streams: dict[int, Stream] = {}
        self._next_id = 1
        self._last_seen = 0
        self._block: tuple[int, int, bytearray] | None = None  # stream, flags, and headers that go on
        self._send_window = frames.DEFAULT_WINDOW
        self._peer_window = frames.DEFAULT_WINDOW  # what a new stream may be sent
        self._peer_frame_bytes = frames.DEFAULT_FRAME_BYTES
        self._owed = 0
        self._resets = 0
        self._lost: StreamReset | None = None
        self.closed = asyncio.Event()
        self._begin()

    def _begin(self) -> None:
        ours = {
            frames.ENABLE_PUSH: 0,
            frames.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
            frames.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            frames.MAX_FRAME_SIZE: MAX_FRAME_BYTES,
            frames.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
        }
        if self._accept:
            del ours[frames.ENABLE_PUSH]  # clients alone say it
        more = (CONNECTION_WINDOW - frames.DEFAULT_WINDOW).to_bytes(4, "big")
        self._link.write(
            (b"" if self._accept else frames.PREFACE)
            + frames.settings(ours)
            + frame(frames.WINDOW_UPDATE, 0, 0, more)
        )

    async def run(self) -> None:
        """Read until the other side ends or breaks the protocol; all streams are lost then."""
        code, why = frames.CANCEL, "the connection is closed"
        try:
            while data := await self._link.receive():
                self.receive(data)
                await self._link.drained()  # answers to settings and pings must not pile up
        except Violation as error:
            code, why = error.code, str(error)
            self._go_away(error.code, why)
        except ConnectionError as error:
            why = str(error) or why
        finally:
            self._lose(StreamReset(code, why))
            self._link.close()

    def close(self) -> None:
        """End the connection."""
        if self._lost is None:
            self._go_away(frames.NO_ERROR, "")
            self._lose(StreamReset(frames.CANCEL, "the connection is closed"))
        self._link.close()

    def _go_away(self, code: int, why: str) -> None:
        last = self._last_seen if self._accept else 0
        payload = last.to_bytes(4, "big") + code.to_bytes(4, "big") + why.encode()[:256]
        self._link.write(frame(frames.GOAWAY, 0, 0, payload))

    def _lose(self, error: StreamReset) -> None:
        if self._lost is None:
            self._lost = error
        self.closed.set()
        for stream in list(self._streams.values()):
            stream.lose(error)
        self._streams.clear()

    def open(self, headers: Headers) -> Stream:
        """Ask the other side for something.

        Raises:
            StreamReset: the connection is gone.
        """
        if self._lost is not None:
            raise self._lost
        stream = Stream(self, self._next_id, self._peer_window)
        self._streams[stream.id] = stream
        self._next_id += 2
        stream.send_headers(headers)
        return stream

    # what comes

    def receive(self, data: bytes) -> None:
        """Take bytes in.

        Raises:
            Violation: they are not HTTP/2, or too much.
        """
        data = self._pending + data if self._pending else data
        at = 0
        if self._preface:
            if not frames.PREFACE.startswith(data[: len(frames.PREFACE)]):
                raise Violation(frames.PROTOCOL_ERROR, "not an HTTP/2 connection")
            if len(data) < len(frames.PREFACE):
                self._pending = data
                return
            at, self._preface = len(frames.PREFACE), 0
        while len(data) - at >= frames.HEAD_BYTES:
            length = int.from_bytes(data[at : at + 3], "big")
            if length > MAX_FRAME_BYTES:
                raise Violation(frames.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            end = at + frames.HEAD_BYTES + length
            if len(data) < end:
                break
            kind, flags = data[at + 3], data[at + 4]
            stream_id = int.from_bytes(data[at + 5 : at + 9], "big") & frames.MAX_WINDOW
            self._take(kind, flags, stream_id, data[at + frames.HEAD_BYTES : end])
            at = end
        self._pending = data[at:]

    def _take(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is not None and kind != frames.CONTINUATION:
            raise Violation(frames.PROTOCOL_ERROR, "headers that were broken off")
        match kind:
            case frames.DATA:
                self._take_data(flags, stream_id, payload)
            case frames.HEADERS:
                self._take_headers(flags, stream_id, frames.unpadded(flags, payload))
            case frames.CONTINUATION:
                self._take_continuation(flags, stream_id, payload)
            case frames.SETTINGS if not flags & frames.ACK:
                self._take_settings(payload)
            case frames.PING if not flags & frames.ACK:
                self._link.write(frame(frames.PING, frames.ACK, 0, payload[:8]))
            case frames.WINDOW_UPDATE:
                self._take_window(stream_id, frames.number(payload))
            case frames.RST_STREAM:
                self._take_reset(stream_id, frames.number(payload))
            case frames.PUSH_PROMISE:
                raise Violation(frames.PROTOCOL_ERROR, "a push that nobody asked for")

    def _take_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:
            if stream_id > max(self._last_seen, self._next_id):
                raise Violation(frames.PROTOCOL_ERROR, "data for a stream that was never opened")
            self._give_back(len(payload))  # it was given up meanwhile
            return
        data = frames.unpadded(flags & ~frames.PRIORITIZED, payload) if flags & frames.PADDED else payload
        if stream.ended:
            raise Violation(frames.PROTOCOL_ERROR, "data after the end of a stream")
        if not stream.feed(data, STREAM_WINDOW):
            raise Violation(frames.FLOW_CONTROL_ERROR, "more data than was allowed")
        self._give_back(len(payload) - len(data))
        if flags & frames.END_STREAM:
            self._end(stream)

    def _take_headers(self, flags: int, stream_id: int, block: bytes) -> None:
        if not flags & frames.END_HEADERS:
            self._block = (stream_id, flags, bytearray(block))
            return
        self._headers(flags, stream_id, block)

    def _take_continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is None or self._block[0] != stream_id:
            raise Violation(frames.PROTOCOL_ERROR, "a continuation of nothing")
        _, first, block = self._block
        block += payload
        if len(block) > MAX_HEADER_BYTES:
            raise Violation(frames.ENHANCE_YOUR_CALM, "headers that are too long")
        if flags & frames.END_HEADERS:
            self._block = None
            self._headers(first, stream_id, bytes(block))

    def _headers(self, flags: int, stream_id: int, block: bytes) -> None:
        try:
            decoded = self._decoder.decode(block, raw=True)
        except HPACKError as error:
            raise Violation(frames.COMPRESSION_ERROR, f"headers that cannot be read: {error}") from None
        headers = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in decoded]
        stream = self._streams.get(stream_id)
        if stream is None:
            stream = self._accepted(stream_id)
            if stream is None:
                return
            stream.feed_headers(headers)
            assert self._accept is not None
            self._accept(stream)
        else:
            stream.feed_headers(headers)
        if flags & frames.END_STREAM:
            self._end(stream)

    def _accepted(self, stream_id: int) -> Stream | None:
        if self._accept is None:
            return None  # an answer to what was given up
        if stream_id % 2 == 0 or stream_id <= self._last_seen:
            raise Violation(frames.PROTOCOL_ERROR, "a stream with a number that cannot be")
        self._last_seen = stream_id
        if len(self._streams) >= MAX_STREAMS:
            self._link.write(frame(frames.RST_STREAM, 0, stream_id, frames.REFUSED_STREAM.to_bytes(4, "big")))
            return None
        stream = self._streams[stream_id] = Stream(self, stream_id, self._peer_window)
        return stream

    def _take_settings(self, payload: bytes) -> None:
        for name, value in frames.read_settings(payload):
            if name == frames.HEADER_TABLE_SIZE:
                self._encoder.header_table_size = min(value, 4096)
            elif name == frames.MAX_FRAME_SIZE:
                self._peer_frame_bytes = max(frames.DEFAULT_FRAME_BYTES, min(value, MAX_FRAME_BYTES))
            elif name == frames.INITIAL_WINDOW_SIZE:
                if value > frames.MAX_WINDOW:
                    raise Violation(frames.FLOW_CONTROL_ERROR, "a window that is too large")
                for stream in self._streams.values():
                    stream.widen(value - self._peer_window)
                self._peer_window = value
        self._link.write(frame(frames.SETTINGS, frames.ACK, 0))

    def _take_window(self, stream_id: int, more: int) -> None:
        if stream_id:
            stream = self._streams.get(stream_id)
            if stream is not None:
                stream.widen(more)
            return
        self._send_window += more
        if self._send_window > frames.MAX_WINDOW:
            raise Violation(frames.FLOW_CONTROL_ERROR, "a window that is too large")
        for stream in list(self._streams.values()):
            stream.widen(0)

    def _take_reset(self, stream_id: int, code: int) -> None:
        stream = self._streams.pop(stream_id, None)
        if stream is None:
            return
        self._resets += 1 if not stream.answered else 0
        if self._resets > _MOST_IDLE_RESETS:
            raise Violation(frames.ENHANCE_YOUR_CALM, "too many streams that were given up")
        stream.lose(StreamReset(code, "the other side gave up"))

    def _end(self, stream: Stream) -> None:
        stream.feed_end()
        if stream.local_ended:
            self._streams.pop(stream.id, None)

    # what goes

    def send_headers(self, stream: Stream, headers: Headers, *, end: bool) -> None:
        """Send headers or trailers, in as many frames as they need."""
        block = self._encoder.encode(headers)
        kind, flags = frames.HEADERS, frames.END_STREAM if end else 0
        while len(block) > self._peer_frame_bytes:
            self._link.write(frame(kind, flags, stream.id, block[: self._peer_frame_bytes]))
            block, kind, flags = block[self._peer_frame_bytes :], frames.CONTINUATION, 0
        self._link.write(frame(kind, flags | frames.END_HEADERS, stream.id, block))
        self._sent_end(stream, end=end)

    async def send_data(self, stream: Stream, data: bytes, *, end: bool) -> None:
        """Send bytes as the windows allow."""
        at = 0
        while at < len(data) or (end and not data):
            count = min(len(data) - at, self._peer_frame_bytes, self._send_window, stream.send_window)
            if count <= 0 and data:
                await stream.wait_window()
                continue
            self._send_window -= count
            stream.send_window -= count
            last = end and at + count == len(data)
            self._link.write(frame(frames.DATA, frames.END_STREAM if last else 0, stream.id, data[at : at + count]))
            at += count
            if not data:
                break
            await self._link.drained()
            stream.check()
        self._sent_end(stream, end=end)

    def _sent_end(self, stream: Stream, *, end: bool) -> None:
        if end and stream.ended:
            self._streams.pop(stream.id, None)

    def send_reset(self, stream: Stream, code: int) -> None:
        """Give a stream up."""
        if self._streams.pop(stream.id, None) is not None:
            self._link.write(frame(frames.RST_STREAM, 0, stream.id, code.to_bytes(4, "big")))

    def consumed(self, stream: Stream, count: int) -> None:
        """Let the other side send so many bytes more."""
        if not stream.ended and stream.id in self._streams:
            self._link.write(frame(frames.WINDOW_UPDATE, 0, stream.id, count.to_bytes(4, "big")))
        self._give_back(count)

    def _give_back(self, count: int) -> None:
        self._owed += count
        if self._owed >= CONNECTION_WINDOW // 4:
            self._link.write(frame(frames.WINDOW_UPDATE, 0, 0, self._owed.to_bytes(4, "big")))
            self._owed = 0
