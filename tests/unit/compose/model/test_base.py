from __future__ import annotations

import msgspec
import pytest

from wharf.compose.model.base import Duration, FileMode, Part, Size, convert, go_duration


class Sample(Part):
    """A part with each kind of field."""

    text: str = ""
    count: int | None = None
    size: Size = Size(0)
    wait: Duration | None = None
    mode: FileMode | None = None
    items: list[str] = msgspec.field(default_factory=list)
    pairs: dict[str, int] = msgspec.field(default_factory=dict)
    shown: bool = False
    always = frozenset({"shown"})
    in_json = frozenset({"items"})


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0s"), (1, "1ns"), (1_500, "1.5µs"), (2_000_000, "2ms"), (1_500_000_000, "1.5s"), (90 * 10**9, "1m30s"),
        (3600 * 10**9, "1h0m0s"), (-(10**9), "-1s"), (36 * 3600 * 10**9 + 10**6, "36h0m0.001s"),
    ],
)  # fmt: skip
def test_durations_are_printed_as_go_prints_them(ns: int, text: str) -> None:
    assert go_duration(ns) == text


def test_values_are_read_from_texts_and_numbers() -> None:
    found = convert({"size": "2k", "wait": "1m", "mode": "0440", "count": 0}, Sample)

    assert found == Sample(size=Size(2048), wait=Duration(60 * 10**9), mode=FileMode(0o440), count=0)
    assert convert({"size": -1, "mode": 0o400}, Sample) == Sample(size=Size(-1), mode=FileMode(0o400))


def test_what_says_nothing_is_not_printed() -> None:
    assert Sample().printed() == {"shown": False}
    assert Sample().printed(as_json=True) == {"items": [], "shown": False}


def test_what_is_printed_is_plain_and_sorted() -> None:
    part = Sample(count=0, size=Size(5), wait=Duration(0), mode=FileMode(0o440), pairs={"b": 1, "a": 2})
    shown = {"count": 0, "size": "5", "wait": "0s", "mode": "0440", "pairs": {"a": 2, "b": 1}, "shown": False}

    assert part.printed() == shown
    assert list(part.printed()["pairs"]) == ["a", "b"]  # type: ignore[call-overload]


def test_extensions_are_printed_in_yaml_alone() -> None:
    part = Sample(extensions={"x-b": {"z": 1.0, "a": 2}})

    assert part.printed() == {"shown": False, "x-b": {"a": 2, "z": 1}}
    assert "x-b" not in part.printed(as_json=True)


@pytest.mark.parametrize("document", [{"size": "big"}, {"wait": "soon"}, {"mode": "rw"}, {"count": "1"}])
def test_malformed_value_names_its_field(document: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"`\$\.{next(iter(document))}`"):
        convert(document, Sample)
