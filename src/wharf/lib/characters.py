r"""Kinds of characters that regular expressions name (RE2, Syntax): ``\d``, ``[:alpha:]``, ``\p{Lu}``. Pure."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable
from typing import Final

Takes = Callable[[str], bool]
"""Whether it is one of a kind."""

_WORD: Final = frozenset(string.ascii_letters + string.digits + "_")
PERL: Final = {"d": frozenset(string.digits), "w": _WORD, "s": frozenset("\t\n\f\r ")}
NAMED: Final = {
    "alnum": frozenset(string.ascii_letters + string.digits),
    "alpha": frozenset(string.ascii_letters),
    "ascii": frozenset(map(chr, range(128))),
    "blank": frozenset("\t "),
    "cntrl": frozenset(map(chr, (*range(32), 127))),
    "digit": frozenset(string.digits),
    "graph": frozenset(map(chr, range(33, 127))),
    "lower": frozenset(string.ascii_lowercase),
    "print": frozenset(map(chr, range(32, 127))),
    "punct": frozenset(string.punctuation),
    "space": frozenset("\t\n\v\f\r "),
    "upper": frozenset(string.ascii_uppercase),
    "word": _WORD,
    "xdigit": frozenset(string.hexdigits),
}
"""POSIX's classes, of ASCII alone."""
_MINOR: Final = {"C": "cfos", "L": "lmotu", "M": "cen", "N": "dlo", "P": "cdefios", "S": "ckmo", "Z": "lps"}
_CATEGORIES: Final = frozenset(major + minor for major, some in _MINOR.items() for minor in ("", *some))


def is_word(character: str) -> bool:
    """Return whether a word has it, in ASCII's sense."""
    return character in _WORD


def category(name: str) -> Takes | None:
    """Return a general category of Unicode's, ``Any``, or None where there is none of that name: scripts, say."""
    if name == "Any":
        return lambda _: True
    if name not in _CATEGORIES:
        return None
    return lambda one: (found := unicodedata.category(one)).startswith(name) and found != "Cn"


def folded(takes: Takes) -> Takes:
    """Return what takes all that differ only in their case."""
    return lambda one: any(map(takes, cases(one)))


def cases(character: str) -> frozenset[str]:
    """Return a character in all of its cases that are one character."""
    lower, upper = character.lower(), character.upper()
    return frozenset(one for one in (character, lower, upper, upper.lower(), lower.upper()) if len(one) == 1)


def outside(takes: Takes) -> Takes:
    """Return what takes all others."""
    return lambda one: not takes(one)
