"""Filters as containerd spells them: ``field==value``, ``!=``, ``~=``, or a field alone; a comma is "and". Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from wharf.errors import InvalidArgument
from wharf.lib.expressions import Expression

_QUOTED: Final = r'"(?:[^"\\\n]|\\.)*"|/(?:[^/\\\n]|\\.)*/|\|(?:[^|\\\n]|\\.)*\|'
# Values without quotes may have spaces, which containerd refuses: buildx passes on what it is given as it is.
_CONDITION: Final = re.compile(
    rf'\s*([A-Za-z]+)(?:\s*(==|!=|~=|>=|<=|>|<)\s*({_QUOTED}|[^\s,"/|](?:[^,]*[^\s,])?))?\s*(,|\Z)'
)
_ESCAPE: Final = re.compile(
    r"\\(?:([^xuU0-7])|x([0-9A-Fa-f]{2})|([0-3][0-7]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.?))", re.DOTALL
)
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_expression: Final = lru_cache(maxsize=16)(Expression)

Look = Callable[[str], str | None]
"""Returns a field's value; None when there is none."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Condition:
    """One of them."""

    name: str
    sign: str  # "" for a field that must only be there
    value: str = ""

    def holds(self, look: Look) -> bool:
        """Return whether it does."""
        found = look(self.name)
        match self.sign:
            case "":
                return found is not None
            case "~=":
                return found is not None and _expression(self.value).found_in(found)
        return (found == self.value) is (self.sign == "==")


def conditions_of(text: str, known: Collection[str], ordered: Collection[str] = ()) -> list[Condition]:
    """Return what one filter says, all of which must hold.

    Args:
        text: the filter.
        known: the fields that there are.
        ordered: those that are compared by size alone.

    Raises:
        InvalidArgument: it is malformed, or about an unknown field.
        NotImplementedHere: its regular expression has what is not known here (see :mod:`wharf.lib.expressions`).
    """
    conditions, at, goes_on = [], 0, True
    while goes_on:
        found = _CONDITION.match(text, at)
        if found is None:
            raise InvalidArgument(f"invalid filter {text[at:]}")
        name, sign, value, comma = (group or "" for group in found.groups())
        conditions.append(_condition(name, sign, value, known, ordered))
        at, goes_on = found.end(), comma == ","
    return conditions


def matcher(
    filters: Iterable[str],
    known: Collection[str],
    meaning: Callable[[Condition], Callable[[_T], bool]],
    ordered: Collection[str] = (),
) -> Callable[[_T], bool]:
    """Return what says whether any of the filters holds for a thing; without one, all is wanted. Raises as above.

    Args:
        filters: all of them; "" is none.
        known: as above.
        meaning: returns what says of a thing whether a condition holds.
        ordered: as above.
    """
    alternatives = [[meaning(one) for one in conditions_of(text, known, ordered)] for text in filters if text]
    if not alternatives:
        return lambda _: True
    return lambda thing: any(all(holds(thing) for holds in tests) for tests in alternatives)


def _condition(name: str, sign: str, value: str, known: Collection[str], ordered: Collection[str]) -> Condition:
    if name not in known or ((sign or "=") in (">=", "<=", ">", "<")) is not (name in ordered):
        raise InvalidArgument(f"invalid filter {name}{sign}{value}")
    if value[:1] in ("/", "|") and sign != "~=":
        raise InvalidArgument(f"invalid filter {name}{sign}{value}: only regular expressions have this quote")
    if value[:1] in ('"', "/", "|"):
        value = _unquoted(value)
    if sign == "~=":
        _expression(value)
    return Condition(name, sign, value)


def _unquoted(literal: str) -> str:
    """Return what a literal says, with Go's escapes (Go, Spec: Rune literals); bytes may make up a character."""

    def said(found: re.Match[str]) -> str:
        letter, byte, octal, *codes, _ = found.groups()
        if letter is not None and (letter in _LETTERS or letter == literal[0]):
            return _LETTERS.get(letter, letter)
        if byte or octal:
            number = int(byte, 16) if byte else int(octal, 8)
            return bytes([number]).decode("utf-8", "surrogateescape")
        number = int(codes[0] or codes[1] or "-1", 16)
        if not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise InvalidArgument(f"invalid filter value {literal}: {found.group()} is no escape")
        return chr(number)

    text = _ESCAPE.sub(said, literal[1:-1])
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
