from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.moments import parse_moment, parse_optional_moment, to_ns

NOW_NS = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1700000000", 1_700_000_000_000_000_000),
        ("1700000000.5", 1_700_000_000_500_000_000),
        ("1700000000.000000001", 1_700_000_000_000_000_001),
        ("10m", NOW_NS - 600_000_000_000),
        ("1h30m", NOW_NS - 5_400_000_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20.123456789Z", 1_700_000_000_123_456_789),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000_000_000_000),
    ],
)
def test_a_moment_is_read_in_any_of_dockers_forms(text: str, time_ns: int) -> None:
    assert parse_moment(text, now_ns=NOW_NS) == time_ns


@pytest.mark.parametrize("text", ["yesterday", "", "12:00", "1.2.3"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_moment(text, now_ns=NOW_NS)


def test_absent_bounds_are_none() -> None:
    assert [parse_optional_moment(text, now_ns=NOW_NS) for text in (None, "", "0")] == [None] * 3


def test_nanoseconds_survive() -> None:
    assert to_ns("2023-11-14T22:13:20.000000007Z") % 1000 == 7
