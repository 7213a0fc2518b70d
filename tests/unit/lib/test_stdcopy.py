from __future__ import annotations

import pytest

from wharf.lib.stdcopy import STDERR, STDOUT, Demultiplexer, frame


def test_frames_come_back_whatever_the_pieces() -> None:
    sent = [(STDOUT, b"hello\n"), (STDERR, b"x" * 300), (STDOUT, b"z")]
    data = b"".join(frame(stream, payload) for stream, payload in sent)
    for size in (1, 7, 8, 9, 1000):
        demultiplexer = Demultiplexer()
        found: dict[int, bytes] = {}
        for start in range(0, len(data), size):
            for stream, payload in demultiplexer.feed(data[start : start + size]):
                found[stream] = found.get(stream, b"") + payload

        assert found == {STDOUT: b"hello\nz", STDERR: b"x" * 300}


def test_the_head_is_eight_bytes_big_endian() -> None:
    assert frame(STDERR, b"ab") == b"\x02\x00\x00\x00\x00\x00\x00\x02ab"


def test_bytes_that_are_not_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="not a stream frame"):
        Demultiplexer().feed(b"HTTP/1.1 200")
