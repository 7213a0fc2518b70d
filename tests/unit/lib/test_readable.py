from __future__ import annotations

import pytest

from wharf.lib.readable import readable


@pytest.mark.parametrize(
    ("raw", "shown"), [(b"plain", "plain"), ("é😀".encode(), "é😀"), (b"caf\xe9/\xff", r"caf\xe9/\xff"), (b"", "")]
)
def test_bytes_that_are_no_text_are_shown_as_numbers(raw: bytes, shown: str) -> None:
    assert readable(raw.decode("utf-8", "surrogateescape")) == shown


def test_what_stands_for_no_byte_is_shown_as_well() -> None:
    assert readable("half \ud800, \udce9") == "half \\ud800, \\udce9"
