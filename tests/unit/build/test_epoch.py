from __future__ import annotations

import pytest

from wharf.build.epoch import epoch_of, settled
from wharf.build.history import fixed
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(("text", "epoch_s"), [("", None), ("0", 0), ("1700000000", 1_700_000_000), ("-5", -5)])
def test_a_time_is_a_whole_number_of_seconds(text: str, epoch_s: int | None) -> None:
    assert epoch_of(text) == epoch_s


@pytest.mark.parametrize("text", ["253402300799", "-62135596800"])
def test_a_time_at_the_ends_can_be_written(text: str) -> None:
    assert fixed(epoch_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "context",
        "\u00b2",
        "\u0663",
        "--5",
        "-",
        "1.5",
        "1_0",
        " 1",
        "1\n",
        "9" * 5000,
        "253402300800",
        "-62135596801",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid SOURCE_DATE_EPOCH"):
        epoch_of(text)


@pytest.mark.parametrize(
    ("value", "context_s", "said"), [("7", 5, "7"), ("", 5, ""), ("context", 5, "5"), ("context", None, "")]
)
def test_the_time_of_the_context_is_taken_where_it_is_named(value: str, context_s: int | None, said: str) -> None:
    assert settled(value, context_s) == said
