from __future__ import annotations

import pytest

from wharf.images.registry.retrying import Patience, retry_after_s


def test_waits_double_up_to_a_limit_and_end() -> None:
    patience = Patience(attempts=6, first_s=1, longest_s=5)

    assert [patience.delay_s(n, chance=1) for n in range(1, 7)] == [1, 2, 4, 5, 5, None]
    assert patience.delay_s(2, chance=0) == 1


def test_a_registrys_wish_counts_when_it_is_bearable() -> None:
    patience = Patience(attempts=3, longest_s=30)

    assert patience.delay_s(1, chance=1, retry_after_s=7) == 7
    assert patience.delay_s(1, chance=1, retry_after_s=31) is None
    assert patience.delay_s(3, chance=1, retry_after_s=7) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("²", None),
        ("5", 5.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, expected: float | None) -> None:
    assert retry_after_s(header, now_s=10) == expected
