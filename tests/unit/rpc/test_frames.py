from __future__ import annotations

import pytest

from wharf.rpc import frames
from wharf.rpc.frames import Violation, frame, number, read_settings, settings, unpadded


def test_a_frame_has_its_length_kind_flags_and_stream() -> None:
    assert frame(frames.DATA, frames.END_STREAM, 3, b"abc") == b"\0\0\3\0\1\0\0\0\3abc"


def test_settings_are_read_as_they_were_written() -> None:
    values = {frames.INITIAL_WINDOW_SIZE: 1 << 20, frames.MAX_FRAME_SIZE: 1 << 17}

    assert dict(read_settings(settings(values)[9:])) == values


def test_padding_and_priority_are_taken_off() -> None:
    assert unpadded(frames.PADDED, b"\2datxx") == b"dat"
    assert unpadded(frames.PADDED | frames.PRIORITIZED, b"\1\0\0\0\1\5head.") == b"head"
    assert unpadded(0, b"as it is") == b"as it is"


@pytest.mark.parametrize(
    "read",
    [
        lambda: unpadded(frames.PADDED, b"\7ab"),
        lambda: unpadded(frames.PADDED, b""),
        lambda: number(b"\0\0\1"),
        lambda: list(read_settings(b"\0\1\0\0\0")),
    ],
)
def test_lengths_that_cannot_be_are_violations(read: object) -> None:
    with pytest.raises(Violation):
        read()  # type: ignore[operator]
