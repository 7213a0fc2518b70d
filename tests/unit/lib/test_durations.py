from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.durations import go_duration, human_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"), [("0", 0), ("1m30s", 90 * 10**9), ("500ms", 5 * 10**8), ("-1.5h", -5400 * 10**9)]
)
def test_duration_is_read_as_go_reads_it(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "s", "1x", "1..s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="time: "):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (61, "About a minute"), (300, "5 minutes"),
        (3700, "About an hour"), (7200, "2 hours"), (3600 * 47, "47 hours"), (86400 * 3, "3 days"),
        (86400 * 20, "2 weeks"), (86400 * 90, "3 months"), (86400 * 800, "2 years"),
    ],
)  # fmt: skip
def test_duration_is_written_in_docker_s_words(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0s"), (250_000_000, "250ms"), (1_500_000_000, "1.5s"), (90_000_000_000, "1m30s"), (1500, "1.5µs"),
        (3_600_000_000_000, "1h0m0s"), (-2_000_000_000, "-2s"), (7, "7ns"),
    ],
)  # fmt: skip
def test_durations_are_printed_as_go_does(ns: int, text: str) -> None:
    assert go_duration(ns) == text
