from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from wharf.compose.load.yaml import parse
from wharf.compose.yaml_text import to_yaml


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": [1, {"c": 2, "d": []}], "e": {}}, "a: 1\nb:\n  - 1\n  - c: 2\n    d: []\ne: {}\n"),
        ({"a": None, "b": True, "c": 1.5}, "a: null\nb: true\nc: 1.5\n"),
        (
            {"a": "true", "b": "yes", "c": "1", "d": "", "e": "1:30"},
            'a: "true"\nb: "yes"\nc: "1"\nd: ""\ne: "1:30"\n',
        ),
        (
            {"a": "x: y", "b": "- x", "c": "#", "d": "it's", "e": "a #b", "f": "x:"},
            "a: 'x: y'\nb: '- x'\nc: '#'\nd: it's\ne: 'a #b'\nf: 'x:'\n",
        ),
        (
            {"a": "one\ntwo\n", "b": "one\n\ntwo", "c": "one\n\n"},
            "a: |\n  one\n  two\nb: |-\n  one\n\n  two\nc: |+\n  one\n\n",
        ),
        ({"a": " x\ny", "b": "\t", "c": "\x01"}, 'a: " x\\ny"\nb: "\\t"\nc: "\\u0001"\n'),
        ([["a", "b"], [{"c": "d"}]], "- - a\n  - b\n- - c: d\n"),
        ({"-c": "-c", "80": "2020-01-01"}, '-c: -c\n"80": "2020-01-01"\n'),
        ("plain", "plain\n"),
        ({}, "{}\n"),
    ],
)
def test_style_is_docker_composes(value: object, text: str) -> None:
    assert to_yaml(value) == text


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")).filter(lambda key: key != "<<"), below, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), _VALUES, max_size=3))
def test_what_is_written_is_read_back_the_same(value: dict[str, object]) -> None:
    assert parse(to_yaml(value), "f") == ([value] if value else [{}])


@given(st.dictionaries(st.just("k"), st.text(st.characters(codec="utf-8"))))
def test_other_readers_read_the_same_texts(value: dict[str, object]) -> None:
    assert yaml.safe_load(to_yaml(value)) == value
