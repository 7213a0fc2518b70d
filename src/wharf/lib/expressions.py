"""Regular expressions in linear time: those of strangers must not be able to keep us busy. Pure.

A subset of RE2's syntax (RE2, Syntax): literals, ``.``, classes, groups, ``|``, ``*``, ``+``, ``?``, ``{n,m}``, ``^``
and ``$``. An expression becomes a small program, all of whose states are followed at once (Thompson, 1968): a text
costs its length times the program's.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere

MOST_STATES: Final = 1000
_MOST_NESTED: Final = 50
_MOST_REPEATED: Final = 1000
_DIGITS: Final = frozenset(string.digits)
_WORD: Final = frozenset(string.ascii_letters + string.digits + "_")
_SPACE: Final = frozenset("\t\n\f\r ")
_CLASSES: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_TIMES: Final = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")
_SIMPLE: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_LETTERS: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

Takes = Callable[[str], bool]
"""Whether a state takes a character."""


@dataclass(frozen=True, slots=True)
class _Take:
    takes: Takes


@dataclass(frozen=True, slots=True)
class _At:
    where: str  # ^ or $


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: _Node
    least: int
    most: int | None


_Node = _Take | _At | _Sequence | _Choice | _Repeat


@dataclass(slots=True)
class _State:
    """One step of a program: it takes a character, or stands at an end of the text, or only leads on."""

    leads: tuple[int, ...] = ()
    takes: Takes | None = None
    where: str = ""


class Expression:
    """One, ready to be looked for."""

    def __init__(self, text: str) -> None:
        """Read an expression.

        Raises:
            InvalidArgument: it is malformed.
            NotImplementedHere: it has what is not known here, or is too large.
        """
        self._states: list[_State] = []
        self._end = self._add(_State())
        self._begin = self._made(_Reader(text).whole(), self._end)

    def found_in(self, text: str) -> bool:
        """Return whether any part of a text is as it says."""
        current: set[int] = set()
        for place in range(len(text) + 1):
            self._enter(self._begin, place, len(text), current)
            if self._end in current:
                return True
            if place < len(text):
                current = self._after(text[place], current, place + 1, len(text))
        return False

    def _after(self, character: str, current: set[int], place: int, length: int) -> set[int]:
        following: set[int] = set()
        for number in current:
            state = self._states[number]
            if state.takes is not None and state.takes(character):
                self._enter(state.leads[0], place, length, following)
        return following

    def _enter(self, number: int, place: int, length: int, into: set[int]) -> None:
        """Add a state, and all that it leads to without a character."""
        pending = [number]
        while pending:
            one = pending.pop()
            if one in into:
                continue
            into.add(one)
            state = self._states[one]
            if state.takes is None and {"^": place == 0, "$": place == length}.get(state.where, True):
                pending += state.leads

    def _add(self, state: _State) -> int:
        if len(self._states) == MOST_STATES:
            raise NotImplementedHere("a regular expression is larger than is supported")
        self._states.append(state)
        return len(self._states) - 1

    def _made(self, node: _Node, following: int) -> int:
        """Return where a part of the program begins that leads to ``following``."""
        match node:
            case _Take(takes):
                return self._add(_State((following,), takes))
            case _At(where):
                return self._add(_State((following,), where=where))
            case _Choice(parts):
                return self._add(_State(tuple(self._made(part, following) for part in parts)))
            case _Sequence(parts):
                entry = self._add(_State((following,)))
                for part in reversed(parts):
                    entry = self._made(part, entry)
                return entry
            case _Repeat(part, least, most):
                return self._repeated(part, least, most, following)

    def _repeated(self, part: _Node, least: int, most: int | None, following: int) -> int:
        entry = following
        if most is None:
            entry = self._add(_State())
            self._states[entry].leads = (self._made(part, entry), following)
        else:
            for _ in range(most - least):
                entry = self._add(_State((self._made(part, entry), following)))
        for _ in range(least):
            entry = self._made(part, entry)
        return entry


class _Reader:
    """Reads an expression from its left to its right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> _Node:
        node = self._choice()
        if self._at < len(self._text):
            raise self._malformed("unexpected )")
        return node

    def _malformed(self, why: str) -> InvalidArgument:
        return InvalidArgument(f"invalid regular expression {self._text}: {why}")

    def _unknown(self, what: str) -> NotImplementedHere:
        return NotImplementedHere(f"{what} in the regular expression {self._text} is not supported")

    def _next(self) -> str:
        """Return the next character, "" at the end."""
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at == len(self._text):
            raise self._malformed("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _skip(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _choice(self) -> _Node:
        parts = [self._sequence()]
        while self._skip("|"):
            parts.append(self._sequence())
        return _Choice(tuple(parts))

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._times(self._atom()))
        return _Sequence(tuple(parts))

    def _times(self, part: _Node) -> _Node:
        bounds = self._bounds()
        if bounds is None:
            return part
        self._skip("?")  # which of the ways is tried first makes no difference to whether there is one
        if self._bounds() is not None:
            raise self._malformed("invalid nested repetition operator")
        return _Repeat(part, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        if found := _TIMES.match(self._text, self._at):
            self._at = found.end()
            least, comma, most = found.groups()
            bounds = int(least), int(most) if most else None if comma else int(least)
            if max(bounds[0], bounds[1] or 0) > _MOST_REPEATED or bounds[0] > (bounds[1] or _MOST_REPEATED):
                raise self._malformed("invalid repeat count")
            return bounds
        simple = _SIMPLE.get(self._next())
        self._at += simple is not None
        return simple

    def _atom(self) -> _Node:
        match self._take():
            case "(":
                return self._group()
            case "[":
                return _Take(self._class())
            case ".":
                return _Take(lambda one: one != "\n")
            case "^" | "$" as where:
                return _At(where)
            case "\\":
                return _Take(self._escape())
            case "*" | "+" | "?":
                raise self._malformed("missing argument to repetition operator")
            case letter:
                return _Take(letter.__eq__)

    def _group(self) -> _Node:
        if self._next() == "?" and not self._skip("?:"):
            raise self._unknown(f"({self._text[self._at : self._at + 2]}")
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise self._malformed("it nests too deeply")
        node = self._choice()
        if not self._skip(")"):
            raise self._malformed("missing closing )")
        self._depth -= 1
        return node

    def _escape(self) -> Takes:
        letter = self._take()
        if letter.lower() in _CLASSES:
            known = _CLASSES[letter.lower()]
            return known.__contains__ if letter.islower() else lambda one: one not in known
        if letter in _LETTERS:
            return _LETTERS[letter].__eq__
        if letter.isalnum():
            raise self._unknown(f"\\{letter}")
        return letter.__eq__

    def _class(self) -> Takes:
        negated, some = self._skip("^"), list[Takes]()
        while not some or self._next() != "]":
            some.append(self._member())
        self._take()
        return lambda one: any(takes(one) for takes in some) is not negated

    def _member(self) -> Takes:
        letter = self._take()
        if letter == "[" and self._next() == ":":
            raise self._unknown("[:")
        if letter == "\\" and self._next().isalnum():
            return self._escape()
        first = self._take() if letter == "\\" else letter
        if self._next() != "-" or self._text[self._at + 1 : self._at + 2] in ("", "]"):
            return first.__eq__
        self._take()
        last = self._take()
        last = self._take() if last == "\\" else last
        if last < first:
            raise self._malformed(f"invalid character class range {first}-{last}")
        return lambda one: first <= one <= last
