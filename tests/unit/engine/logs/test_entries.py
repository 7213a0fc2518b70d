from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf.engine.logs.entries import Entry, Part, Unpacker, pack
from wharf.errors import DataLoss

WHOLE = Entry(b"hello", "stdout", 1_700_000_000_000_000_001)


def test_an_entry_is_as_mobys_encoder_writes_it() -> None:
    # LogEntry{Source: "stderr", TimeNano: 1, Line: "ab", Partial: true, {Last: true, Id: "x", Ordinal: 2}} by gogo.
    expected = "000000190a0673746465727210011a02616220012a0708011201781802"
    assert pack(Entry(b"ab", "stderr", 1, Part("x", 2, last=True))).hex() == expected


@given(st.integers(1, 40))
def test_entries_come_back_from_a_stream_in_any_pieces(size: int) -> None:
    stream, unpacker = pack(WHOLE) + pack(Entry(b"", "stderr", 5)), Unpacker()
    found = [entry for at in range(0, len(stream), size) for entry in unpacker.feed(stream[at : at + size])]
    assert found == [WHOLE, Entry(b"", "stderr", 5)]
    assert unpacker.complete


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\2\x0a\xff",
        b"\0\0\0\2\x08\x01",  # its source a number
        b"\0\0\0\4\x12\x02ab",  # its time a text
    ],
)
def test_what_is_no_entry_is_told_before_anybody_waits_for_the_rest(garbage: bytes) -> None:
    with pytest.raises(DataLoss, match="an entry of a log"):
        Unpacker().feed(garbage)


@given(st.binary(max_size=200))
def test_whatever_comes_is_entries_or_one_error(data: bytes) -> None:
    unpacker = Unpacker()
    try:
        unpacker.feed(data)
    except DataLoss:
        return
    assert len(unpacker._rest) <= len(data)


def test_a_time_before_1970_comes_back_as_it_was() -> None:
    assert Unpacker().feed(pack(Entry(b"x", "stdout", -5))) == [Entry(b"x", "stdout", -5)]


def test_a_time_of_more_bits_than_there_are_is_no_time() -> None:
    with pytest.raises(DataLoss, match="an entry of a log"):
        Unpacker().feed(b"\0\0\0\x0b\x10" + b"\xff" * 9 + b"\x7f")
