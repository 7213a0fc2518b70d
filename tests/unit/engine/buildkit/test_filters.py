from __future__ import annotations

from collections.abc import Callable

import pytest

from wharf.engine.buildkit.filters import Condition, conditions_of, matcher
from wharf.errors import InvalidArgument, NotImplementedHere

FIELDS = ("id", "inuse", "at")


def meaning(condition: Condition) -> Callable[[dict[str, str]], bool]:
    return lambda thing: condition.holds(thing.get)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], ["a1", "b2"]),
        ([""], ["a1", "b2"]),
        (["id==a1"], ["a1"]),
        (["id!=a1"], ["b2"]),
        (["id~=^nothing"], []),
        (["id~=/^(a|b)[0-1]$/"], ["a1"]),
        (["id~=b."], ["b2"]),
        (['id!="a1"'], ["b2"]),
        (["inuse"], ["b2"]),
        (["id~=a,inuse"], []),
        (["id==a1", "inuse"], ["a1", "b2"]),
    ],
)
def test_filters_choose(filters: list[str], found: list[str]) -> None:
    test = matcher(filters, FIELDS, meaning)
    things: list[dict[str, str]] = [{"id": "a1"}, {"id": "b2", "inuse": ""}]
    assert [one["id"] for one in things if test(one)] == found


@pytest.mark.parametrize("text", ["colour==red", "id>1", "at==1", "==", "id=1", "id==", "id==a,", ",", "id==a,b"])
def test_what_is_malformed_or_unknown_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid filter"):
        conditions_of(text, FIELDS, ("at",))


def test_a_comma_means_both() -> None:
    assert conditions_of("id==a,at>=1", FIELDS, ("at",)) == [Condition("id", "==", "a"), Condition("at", ">=", "1")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('id=="a b,c"', "a b,c"),
        (r'id=="a\"b\\c\n"', 'a"b\\c\n'),
        (r'id=="\x41\102\u00e9\U0001f40b\xc3\xa9"', "ABé\N{WHALE}é"),
        (' id == "a" ', "a"),
        ("id==a  b ", "a  b"),
        ("id==a\nb", "a\nb"),
        ('id==a"b', 'a"b'),
        ("id~=/a.b/", "a.b"),
        (r"id~=|a\|b|", "a|b"),
        (f'id=="{"x" * 300_000}"', "x" * 300_000),
    ],
)
def test_values_may_be_quoted_as_in_go(text: str, value: str) -> None:
    assert [one.value for one in conditions_of(text, FIELDS)] == [value]


def test_an_expression_that_is_malformed_or_has_what_is_not_known_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"invalid regular expression \*"):
        conditions_of("id~=*", FIELDS)
    with pytest.raises(NotImplementedHere, match="regular expression"):
        conditions_of(r"id~=\p{Han}", FIELDS)


@pytest.mark.parametrize(
    "value",
    [
        '"',
        '"a',
        '"a"b',
        '"a\nb"',
        r'"\q"',
        '"\\\'"',
        r'"\x4"',
        r'"\400"',
        r'"\ud800"',
        r'"\U00110000"',
        "/a/",
        "|a|",
        "/a",
    ],
)
def test_quotes_that_mean_nothing_are_refused(value: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid filter"):
        conditions_of(f"id=={value}", FIELDS)
