from __future__ import annotations

import random
import re

import pytest

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.expressions import Expression

PIECES = (
    "a",
    "b",
    ".",
    "*",
    "+",
    "?",
    "|",
    "(",
    ")",
    "[ab]",
    "[^a]",
    "[a-b]",
    "^",
    "$",
    "{1,2}",
    "{2}",
    "{0,}",
    "(?:",
    r"\w",
)


def test_they_find_what_pythons_own_find() -> None:
    chance, compared = random.Random(1), 0
    while compared < 4000:
        text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))
        try:
            ours, theirs = Expression(text), re.compile(text)
        except (InvalidArgument, NotImplementedHere, re.error):
            continue
        for _ in range(4):
            sought = "".join(chance.choice("abc") for _ in range(chance.randint(0, 6)))
            assert ours.found_in(sought) is (theirs.search(sought) is not None), (text, sought)
            compared += 1


@pytest.mark.parametrize(
    ("text", "found", "missed"),
    [
        (r"^https://[^/]+/a\.git$", "https://x.example/a.git", "https://x.example/aXgit"),
        (r"\d{3}-\D\s\S\W", "123-x y!", "12-x y!"),
        (r"[]a]", "]", "b"),
        (r"[a\]-]", "-", "b"),
        (r"[\d_]x", "_x", "ax"),
        (r"a\tb\|", "a\tb|", "ab"),
        ("a{,2}", "a{,2}", "aa"),
        ("x*?y", "xxy", "x"),
        ("", "anything", None),
    ],
)
def test_they_are_written_as_in_go(text: str, found: str, missed: str | None) -> None:
    assert Expression(text).found_in(found)
    assert missed is None or not Expression(text).found_in(missed)


@pytest.mark.parametrize(
    "text", ["(", ")", "[", "[a", "a**", "a{2}{3}", "*", "|+", "\\", "[b-a]", "a{2,1}", "a{1001}", "(" * 60]
)
def test_what_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid regular expression"):
        Expression(text)


@pytest.mark.parametrize(
    "text", ["(?i)a", r"\pL", r"a\b", "[[:alpha:]]", "((a{100}){100}){100}", "((){1000}){1000}", "a" * 5000]
)
def test_what_is_not_known_or_too_large_is_refused(text: str) -> None:
    with pytest.raises(NotImplementedHere):
        Expression(text)


def test_none_takes_longer_than_its_length_times_the_texts() -> None:
    steps = 0

    class Counted(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            nonlocal steps
            steps += 1
            return "a"

    assert not Expression("(a*)*(a|a)*b").found_in(Counted("a" * 2000))
    assert steps == 2000
