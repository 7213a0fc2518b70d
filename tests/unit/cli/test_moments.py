from __future__ import annotations

import pytest

from wharf.cli.moments import as_go_prints, moment
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("2026-01-02T03:04:05.678000000Z", "2026-01-02 03:04:05.678 +0000 UTC"),
        ("2026-01-02T03:04:05Z", "2026-01-02 03:04:05 +0000 UTC"),
        ("2026-01-02T03:04:05.500000000Z", "2026-01-02 03:04:05.5 +0000 UTC"),
        ("2026-01-02T03:04:05.1-02:30", "2026-01-02 03:04:05.1 -0230 -0230"),
        ("2026-01-02T03:04:05+01:00", "2026-01-02 03:04:05 +0100 +0100"),
    ],
)
def test_time_is_printed_as_go_does(written: str, printed: str) -> None:
    assert as_go_prints(written) == printed


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("12.5", "12.5"), ("10m", "400.000000000"), ("1970-01-01T00:00:07+00:00", "7.000000000")],
)
def test_moment_is_seconds(text: str, expected: str) -> None:
    assert moment(text, 1000.0) == expected


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="failed to parse value as time or duration"):
        moment("nonsense", 0.0)
