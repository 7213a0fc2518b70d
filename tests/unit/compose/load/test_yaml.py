from __future__ import annotations

import pytest

from wharf.compose.load.located import ComposeError, Map, Override, Reset, Seq
from wharf.compose.load.yaml import parse, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("~", None), ("", None), ("0640", 0o640),
        ("0o17", 15), ("0x1f", 31), ("1_000", 1000), ("-7", -7), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5),
        ("-.inf", float("-inf")), ("1.2.3", "1.2.3"), ("8080:80", "8080:80"), ("12:30:45", "12:30:45"), ("-", "-"),
        ("2020-01-01", "2020-01-01"), ("08", 8.0),
    ],
)  # fmt: skip
def test_plain_scalar_has_the_type_of_yaml_1_2(text: str, value: object) -> None:
    assert (scalar(text), type(scalar(text))) == (value, type(value))


def test_entries_keep_their_places() -> None:
    [tree] = parse("a:\n  b: 1\n  c:\n    - x\n    - y\n", "f.yaml")

    assert isinstance(tree, Map)
    below = tree["a"]
    assert isinstance(below, Map)
    assert str(below.marks["c"]) == "f.yaml:3"
    assert isinstance(below["c"], Seq)
    assert [str(mark) for mark in below["c"].marks] == ["f.yaml:4", "f.yaml:5"]


def test_quoted_scalars_are_texts_and_tagged_ones_what_their_tag_says() -> None:
    assert parse("""[ '1', "true", !!str 2, !!int "3", |\n  lines\n]""".replace(", |\n  lines\n", ""), "f") == [
        ["1", "true", "2", 3]
    ]


def test_anchors_aliases_and_merge_keys() -> None:
    [tree] = parse("x: &x {a: 1, b: 2}\ny: &y {b: 3}\nz:\n  <<: [*x, *y]\n  c: 4\nw: {<<: *x, a: 9}\n", "f")

    assert tree == {"x": {"a": 1, "b": 2}, "y": {"b": 3}, "z": {"c": 4, "a": 1, "b": 2}, "w": {"a": 9, "b": 2}}


def test_tags_of_compose_are_heard() -> None:
    [tree] = parse("a: !reset null\nb: !override [1]\nc: !override {d: 2}\n", "f")

    assert tree == {"a": Reset(), "b": Override([1]), "c": Override({"d": 2})}


def test_several_documents_are_each_a_tree() -> None:
    assert parse("a: 1\n---\nb: 2\n", "f") == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", 'f:2: mapping key "a" already defined at line 1'),
        ("a: [1\n", "f:2: "),
        ("a: *nobody\n", "f:1: unknown anchor 'nobody' referenced"),
        ("a: !secret 1\n", "f:1: unknown tag !secret"),
        ("a: {<<: 1}\n", "f:1: map merge requires map"),
        ("? [1]\n: 2\n", "f:1: a key must be a text"),
        ("null: 2\n", "f:1: a key must be a text"),
        ("a: \x01\n", "f"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        parse(text, "f")

    assert str(raised.value).startswith(said)


def test_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    with pytest.raises(ComposeError, match="f:6: document contains excessive aliasing"):
        parse("\n".join(lines), "f")


def test_bottomless_nesting_is_refused() -> None:
    with pytest.raises(ComposeError, match="nested deeper than 100 levels"):
        parse("[" * 200 + "]" * 200, "f")


def test_numbers_are_good_keys() -> None:
    assert parse("80: a\ntrue: b\n", "f") == [{"80": "a", "true": "b"}]
