from __future__ import annotations

from wharf.lib.timestamps import rfc3339_nano


def test_times_have_nine_digits_of_nanoseconds() -> None:
    assert rfc3339_nano(0) == "1970-01-01T00:00:00.000000000Z"
    assert rfc3339_nano(1769903999000000001) == "2026-01-31T23:59:59.000000001Z"
