from __future__ import annotations

import pytest

from wharf.client.errors import ProtocolError
from wharf.client.frames import Demultiplexer

_STREAM = b"\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\4errs\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1!"


@pytest.mark.parametrize("step", [1, 2, 7, 8, 9, 100])
def test_pieces_are_the_same_however_the_bytes_arrive(step: int) -> None:
    frames = Demultiplexer()
    out = {1: b"", 2: b""}

    for at in range(0, len(_STREAM), step):
        for stream, piece in frames.feed(_STREAM[at : at + step]):
            out[stream] += piece

    assert out == {1: b"out!", 2: b"errs"}


@pytest.mark.parametrize("header", [b"\7\0\0\0\0\0\0\1x", b"\1\1\0\0\0\0\0\1x"])
def test_header_of_no_stream_is_refused(header: bytes) -> None:
    with pytest.raises(ProtocolError, match="unrecognized stream"):
        Demultiplexer().feed(header)
