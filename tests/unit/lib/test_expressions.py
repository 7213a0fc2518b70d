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
    r"\b",
    r"\B",
    r"(?i:A)",
    "(?s:.)",
    "(?P<n>b)",
)


def test_they_find_what_pythons_own_find() -> None:
    chance, compared = random.Random(1), 0
    while compared < 4000:
        text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))
        try:
            ours, theirs = Expression(text), re.compile(text.replace("$", r"\Z"))
        except (InvalidArgument, NotImplementedHere, re.error):
            continue
        for _ in range(4):
            sought = "".join(chance.choice("abcA- \n") for _ in range(chance.randint(0, 6)))
            if not sought and r"\B" in text:
                continue  # before 3.14 Python finds none in nothing
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
        (r"\bcat\b", "a cat.", "concat"),
        (r"\Bcat", "concat", "a cat"),
        (r"\Aa\z", "a", "a\n"),
        ("a$", "ba", "a\nb"),
        ("(?m)^a$", "b\na\nb", "ab"),
        ("a.b", "a-b", "a\nb"),
        ("(?s)a.b", "a\nb", "ab"),
        ("(?i)straSSe", "STRAssE", "stra"),
        ("(?i:a)b", "Ab", "AB"),
        ("((?i)a|b)c", "Bc", "BC"),
        ("(?i)a(?-i)b", "Ab", "AB"),
        ("(?i)[^a]", "b", "A"),
        ("(?i)[a-c]x", "BX", "dx"),
        ("(?i)K", "\u212a", "j"),
        (r"(?i)\x{212A}", "k", "j"),
        ("(?U)a+", "aa", "b"),
        ("(?P<year>[0-9]{4})-(?<day>x)", "2026-x", "26-x"),
        (r"[[:alpha:]_]{3}", "a_B", "a1b"),
        (r"^[[:^digit:]]+$", "abc", "ab1"),
        (r"[\dx]y", "xy", "ay"),
        (r"\p{Lu}\pL\PN$", "Éaé", "Éa1"),
        (r"^\p{^L}$", "1", "a"),
        (r"\x41\x{1F600}\101\0", "A\U0001f600A\0", "A"),
        (r"\Qa.b*\E+", "a.b**", "axb"),
        (r"\Qa.b", "a.b", "axb"),
        (r"[\x61-\x63]z", "bz", "dz"),
        ("", "anything", None),
    ],
)
def test_they_are_written_as_in_go(text: str, found: str, missed: str | None) -> None:
    assert Expression(text).found_in(found)
    assert missed is None or not Expression(text).found_in(missed)


@pytest.mark.parametrize(
    "text",
    [
        "(",
        ")",
        "[",
        "[a",
        "a**",
        "a{2}{3}",
        "*",
        "|+",
        "\\",
        "[b-a]",
        "a{2,1}",
        "a{1001}",
        "(" * 60,
        "(?=a)",
        "(?<!a)",
        "(?P<1>a)",
        "(?z)",
        "(?",
        "(?i)*",
        r"\1",
        r"\8",
        r"\Z",
        r"\x{110000}",
        r"[[:letter:]]",
        r"\y",
    ],
)
def test_what_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid regular expression"):
        Expression(text)


@pytest.mark.parametrize("text", [r"\p{Greek}", r"[\P{Han}]", "((a{100}){100}){100}", "((){1000}){1000}", "a" * 5000])
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


@pytest.mark.parametrize("nothing", ["a{0}", "(?:)", "", "a{0,0}"])
def test_nothing_is_not_repeated_for_ever(nothing: str) -> None:
    with pytest.raises(NotImplementedHere, match="larger"):
        Expression(f"((({nothing}){{1000}}){{1000}}){{1000}}")
    assert Expression(f"x({nothing}){{3}}y").found_in("xy")
