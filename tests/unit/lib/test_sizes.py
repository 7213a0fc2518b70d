from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.sizes import binary_size, human_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("64k", 65536), ("1.5g", 1610612736), ("2GiB", 2**31), ("1 mb", 2**20), ("5b", 5)],
)
def test_size_is_read_in_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "-5", "1..5", "5z", "k", "٣"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid size"):
        parse_size(text)


def test_sizes_are_written_with_few_digits() -> None:
    assert [human_size(0), human_size(1982464, digits=3), binary_size(1093632)] == ["0B", "1.98MB", "1.043MiB"]
