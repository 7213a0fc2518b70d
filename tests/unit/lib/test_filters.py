from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.filters import match_labels, parse_filters, require_known, truth


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        (None, {}),
        ("", {}),
        ('{"a": ["x", "y"]}', {"a": ["x", "y"]}),
        ('{"a": {"x": true, "y": false}}', {"a": ["x"]}),
    ],
)
def test_both_forms_are_read(text: str | None, filters: dict[str, list[str]]) -> None:
    assert parse_filters(text) == filters


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": [1]}', "null"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid filter"):
        parse_filters(text)


def test_an_unknown_filter_is_named() -> None:
    with pytest.raises(InvalidArgument, match="invalid filter 'colour'"):
        require_known({"colour": ["red"]}, ["name"])


@pytest.mark.parametrize(("values", "result"), [(["true"], True), (["1"], True), (["False"], False), (["0"], False)])
def test_truth_is_spelt_in_several_ways(values: list[str], result: bool) -> None:
    assert truth({"x": values}, "x") is result
    assert truth({}, "x") is None


@pytest.mark.parametrize("values", [["maybe"], ["true", "false"], []])
def test_what_is_neither_is_refused(values: list[str]) -> None:
    with pytest.raises(InvalidArgument, match="invalid filter"):
        truth({"x": values}, "x")


def test_labels_match_by_name_or_value_and_may_be_excluded() -> None:
    labels = {"a": "1", "b": ""}

    assert match_labels({"label": ["a", "b="]}, labels)
    assert not match_labels({"label": ["a=2"]}, labels)
    assert not match_labels({"label!": ["b"]}, labels)
    assert not match_labels({"label": ["a"]}, None)
