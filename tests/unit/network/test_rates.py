from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.network import rates
from wharf.network.endpoint import Rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("", Rate()),
        ("10mbit", Rate(10_000_000, 10_000_000)),
        ("50mbit/5Mbit", Rate(50_000_000, 5_000_000)),
        ("0/1.5mbit", Rate(0, 1_500_000)),
        ("1gbit/0", Rate(1_000_000_000, 0)),
        ("100kbps", Rate(800_000, 800_000)),
        ("64000", Rate(64_000, 64_000)),
    ],
)
def test_rate_is_read_in_bits_a_second(text: str, rate: Rate) -> None:
    assert rates.parse(text) == rate


@pytest.mark.parametrize("text", ["fast", "10m", "-1mbit", "1mbit/", "/", "1mbit/2mbit/3mbit", "1bit", "10 mb"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid network rate"):
        rates.parse(text)
