from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hpack import Encoder
from tests.fakes.links import MemoryLink, links

from wharf.rpc import frames
from wharf.rpc.connection import CONNECTION_WINDOW, MAX_FRAME_BYTES, MAX_STREAMS, STREAM_WINDOW, Connection
from wharf.rpc.frames import Violation, frame
from wharf.rpc.stream import Stream, StreamReset

REQUEST = [(":method", "POST"), (":path", "/x")]
HEADERS = Encoder().encode(REQUEST)


def open_frame(stream_id: int, flags: int = frames.END_HEADERS) -> bytes:
    return frame(frames.HEADERS, flags, stream_id, Encoder().encode(REQUEST))


def server(accepted: list[Stream] | None = None) -> tuple[Connection, MemoryLink]:
    near, _ = links()
    took: Callable[[Stream], None] = (accepted if accepted is not None else []).append
    connection = Connection(near, accept=took)
    near.sent.clear()
    return connection, near


def test_a_client_begins_with_the_preface_its_settings_and_a_wide_window() -> None:
    async def body() -> bytes:
        near, _ = links()
        Connection(near)
        return bytes(near.sent)

    sent = asyncio.run(body())
    assert sent.startswith(frames.PREFACE)
    assert sent.endswith(
        frame(frames.WINDOW_UPDATE, 0, 0, (CONNECTION_WINDOW - frames.DEFAULT_WINDOW).to_bytes(4, "big"))
    )


def test_headers_and_bytes_reach_the_other_side_whatever_the_pieces() -> None:
    async def body() -> tuple[object, bytes]:
        near, far = links()
        accepted: list[Stream] = []
        Connection(far, accept=accepted.append)
        stream = Connection(near).open(REQUEST)
        await stream.send(b"body", end=True)
        other, _ = server(accepted)
        for byte in bytes(near.sent):
            other.receive(bytes([byte]))
        return accepted[0].headers, await accepted[0].read(10)

    assert asyncio.run(body()) == (REQUEST, b"body")


def test_a_sender_waits_for_the_window_of_the_other_side() -> None:
    async def body() -> list[int]:
        near, _ = links()
        connection = Connection(near)
        stream = connection.open(REQUEST)
        near.sent.clear()
        sending = asyncio.ensure_future(stream.send(b"x" * 100_000))
        for _ in range(20):
            await asyncio.sleep(0)
        first = len(near.sent)
        assert not sending.done()
        connection.receive(frame(frames.WINDOW_UPDATE, 0, 1, (50_000).to_bytes(4, "big")))
        connection.receive(frame(frames.WINDOW_UPDATE, 0, 0, (50_000).to_bytes(4, "big")))
        await sending
        return [first - 4 * 9, len(near.sent) - 8 * 9]

    first, all_of_it = asyncio.run(body())
    assert first == frames.DEFAULT_WINDOW
    assert 100_000 - 18 <= all_of_it <= 100_000


def test_settings_change_windows_that_are_in_use_and_are_confirmed() -> None:
    async def body() -> tuple[int, bytes]:
        near, _ = links()
        connection = Connection(near)
        stream = connection.open(REQUEST)
        near.sent.clear()
        connection.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 100}))
        return stream.send_window, bytes(near.sent)

    assert asyncio.run(body()) == (100, frame(frames.SETTINGS, frames.ACK, 0))


def test_a_ping_is_answered() -> None:
    async def body() -> bytes:
        connection, near = server()
        connection.receive(frames.PREFACE + frame(frames.PING, 0, 0, b"12345678"))
        return bytes(near.sent)

    assert asyncio.run(body()) == frame(frames.PING, frames.ACK, 0, b"12345678")


def test_headers_go_on_in_continuations() -> None:
    async def body() -> object:
        accepted: list[Stream] = []
        connection, _ = server(accepted)
        block = Encoder().encode(REQUEST)
        connection.receive(
            frames.PREFACE
            + frame(frames.HEADERS, 0, 1, block[:3])
            + frame(frames.CONTINUATION, 0, 1, block[3:5])
            + frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[5:])
        )
        return accepted[0].headers

    assert asyncio.run(body()) == REQUEST


def test_a_reset_cancels_the_task_of_its_stream() -> None:
    async def body() -> bool:
        accepted: list[Stream] = []
        connection, _ = server(accepted)
        connection.receive(frames.PREFACE + open_frame(1))
        accepted[0].on_reset = task = asyncio.ensure_future(asyncio.sleep(60))
        connection.receive(frame(frames.RST_STREAM, 0, 1, (8).to_bytes(4, "big")))
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(body())


def test_too_many_streams_are_refused_one_by_one() -> None:
    async def body() -> tuple[int, bytes]:
        accepted: list[Stream] = []
        connection, near = server(accepted)
        connection.receive(frames.PREFACE)
        for number in range(MAX_STREAMS + 1):
            connection.receive(open_frame(2 * number + 1))
        return len(accepted), bytes(near.sent)

    count, sent = asyncio.run(body())
    refused = frame(frames.RST_STREAM, 0, 2 * MAX_STREAMS + 1, frames.REFUSED_STREAM.to_bytes(4, "big"))
    assert (count, sent) == (MAX_STREAMS, refused)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        frames.PREFACE + (MAX_FRAME_BYTES + 1).to_bytes(3, "big") + b"\0" * 6,
        frames.PREFACE + open_frame(2),
        frames.PREFACE + open_frame(3) + open_frame(1),
        frames.PREFACE + frame(frames.HEADERS, frames.END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),
        frames.PREFACE + frame(frames.HEADERS, 0, 1, HEADERS) + frame(frames.DATA, 0, 1),
        frames.PREFACE + frame(frames.HEADERS, 0, 1) + frame(frames.CONTINUATION, 0, 1, b"\0" * 70_000),
        frames.PREFACE + frame(frames.CONTINUATION, 0, 1, HEADERS),
        frames.PREFACE + frame(frames.DATA, 0, 7, b"x"),
        frames.PREFACE + open_frame(1, frames.END_HEADERS | frames.END_STREAM) + frame(frames.DATA, 0, 1, b"x"),
        frames.PREFACE + open_frame(1) + frame(frames.DATA, 0, 1, b"x" * MAX_FRAME_BYTES) * 33,
        frames.PREFACE + frame(frames.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"),
        frames.PREFACE + frames.settings({frames.INITIAL_WINDOW_SIZE: 1 << 31}),
        frames.PREFACE + frame(frames.PUSH_PROMISE, 0, 1, b"\0\0\0\2"),
        frames.PREFACE
        + b"".join(
            open_frame(n, frames.END_HEADERS) + frame(frames.RST_STREAM, 0, n, b"\0\0\0\x08")
            for n in range(1, 2100, 2)
        ),
    ],
)
def test_what_breaks_the_protocol_or_is_too_much_ends_the_connection(data: bytes) -> None:
    async def body() -> None:
        connection, _ = server()
        with pytest.raises(Violation):
            connection.receive(data)

    assert MAX_FRAME_BYTES * 33 > STREAM_WINDOW
    asyncio.run(body())


def test_a_broken_connection_says_goodbye_and_its_streams_are_lost() -> None:
    async def body() -> bytes:
        near, far = links()
        connection = Connection(near)
        stream = connection.open(REQUEST)
        far.write(frame(frames.PUSH_PROMISE, 0, 1, b"\0\0\0\2"))
        await connection.run()
        with pytest.raises(StreamReset, match="a push that nobody asked for"):
            await stream.read(1)
        with pytest.raises(StreamReset):
            connection.open(REQUEST)
        assert not near.is_open
        return bytes(near.sent)

    assert b"a push that nobody asked for" in asyncio.run(body())
