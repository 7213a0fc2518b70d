from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf.lib.protobuf import decode, encode


def test_the_encoding_guides_own_examples() -> None:
    assert encode([(1, 150)]) == bytes.fromhex("089601")
    assert encode([(2, "testing")]) == bytes.fromhex("120774657374696e67")
    assert encode([(3, encode([(1, 150)]))]) == bytes.fromhex("1a03089601")


def test_a_negative_number_takes_all_ten_bytes() -> None:
    assert encode([(1, -1)]) == b"\x08" + b"\xff" * 9 + b"\x01"


@given(st.dictionaries(st.integers(1, 1 << 20), st.one_of(st.integers(0, (1 << 64) - 1), st.binary(max_size=300))))
def test_what_is_encoded_is_decoded(fields: dict[int, int | bytes]) -> None:
    assert decode(encode(fields.items())) == fields


def test_fixed_widths_are_read_over() -> None:
    assert decode(b"\x0d1234\x11abcdefgh\x18\x05") == {1: b"1234", 2: b"abcdefgh", 3: 5}


@pytest.mark.parametrize("data", [b"\x08", b"\x12\x05ab", b"\x0f", b"\x08" + b"\xff" * 11])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a protobuf message"):
        decode(data)
