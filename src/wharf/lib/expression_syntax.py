r"""Regular expressions as Go writes them (RE2, Syntax), read into a tree. Pure.

Which of several ways is tried first makes no difference to whether there is one: ``*?`` is ``*``, a group a bracket.
Not known are scripts of Unicode (``\p{Greek}``); what Go does not have (``(?=``, ``\1``) is malformed as with Go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.characters import NAMED, PERL, Takes, cases, category, folded, outside

_MOST_NESTED: Final = 50
_MOST_REPEATED: Final = 1000
_TIMES: Final = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")
_SIMPLE: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_LETTERS: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_GROUP: Final = re.compile(r"\?(?:P?<[A-Za-z_]\w*>|([imsU]*)(?:(-)([imsU]+))?([:)]))", re.ASCII)
_HEX: Final = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})")
_OCTAL: Final = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_NAMED: Final = re.compile(r"\[:(\^?)([a-z]+):\]")
_UNICODE: Final = re.compile(r"([pP])(?:\{(\^?)(\w+)\}|(\w))")


class Where(Enum):
    """A place in a text."""

    BEGIN = auto()
    END = auto()
    LINE_BEGIN = auto()
    LINE_END = auto()
    BOUNDARY = auto()  # of a word
    NO_BOUNDARY = auto()


@dataclass(frozen=True, slots=True)
class Take:
    """A character."""

    takes: Takes


@dataclass(frozen=True, slots=True)
class At:
    """A place."""

    where: Where


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """As often as that; ``most`` None: without a limit."""

    part: Node
    least: int
    most: int | None


Node = Take | At | Sequence | Choice | Repeat
_PLACES: Final = {"A": Where.BEGIN, "z": Where.END, "b": Where.BOUNDARY, "B": Where.NO_BOUNDARY}


@dataclass(frozen=True, slots=True)
class _Flags:
    any_case: bool = False
    lines: bool = False  # ^ and $ are those of lines
    dot_all: bool = False  # . takes a line's end

    def changed(self, letters: str, *, to: bool) -> _Flags:
        names = {"i": "any_case", "m": "lines", "s": "dot_all"}
        return replace(self, **{names[letter]: to for letter in letters if letter in names})


def read(text: str) -> Node:
    """Return an expression as a tree.

    Raises:
        InvalidArgument: it is malformed.
        NotImplementedHere: it has what is not known here.
    """
    return _Reader(text).whole()


class _Reader:
    """Reads an expression from its left to its right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._flags = _Flags()

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise self._malformed("unexpected )")
        return node

    def _malformed(self, why: str) -> InvalidArgument:
        return InvalidArgument(f"invalid regular expression {self._text}: {why}")

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

    def _found(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found

    def _choice(self) -> Node:
        parts = [self._sequence()]
        while self._skip("|"):
            parts.append(self._sequence())
        return Choice(tuple(parts))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._next() not in ("", "|", ")"):
            if self._skip("\\Q"):
                quoted, _, rest = self._text[self._at :].partition("\\E")
                parts += [Take(self._letter(one)) for one in quoted]
                self._at = len(self._text) - len(rest)
                if quoted:
                    parts.append(self._times(parts.pop()))
            elif (node := self._atom()) is not None:
                parts.append(self._times(node))
        return Sequence(tuple(parts))

    def _times(self, part: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return part
        self._skip("?")
        if self._bounds() is not None:
            raise self._malformed("invalid nested repetition operator")
        return Repeat(part, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        if found := self._found(_TIMES):
            least, comma, most = found.groups()
            bounds = int(least), int(most) if most else None if comma else int(least)
            if max(bounds[0], bounds[1] or 0) > _MOST_REPEATED or bounds[0] > (bounds[1] or _MOST_REPEATED):
                raise self._malformed("invalid repeat count")
            return bounds
        simple = _SIMPLE.get(self._next())
        self._at += simple is not None
        return simple

    def _atom(self) -> Node | None:
        """Return what is next; None for flags, which are no part of it."""
        if (where := self._place()) is not None:
            return At(where)
        match self._take():
            case "(":
                return self._group()
            case "[":
                return Take(self._class())
            case ".":
                return Take((lambda _: True) if self._flags.dot_all else lambda one: one != "\n")
            case "\\":
                return Take(self._escape())
            case "*" | "+" | "?":
                raise self._malformed("missing argument to repetition operator")
            case letter:
                return Take(self._letter(letter))

    def _place(self) -> Where | None:
        lines = self._flags.lines
        if self._skip("^"):
            return Where.LINE_BEGIN if lines else Where.BEGIN
        if self._skip("$"):
            return Where.LINE_END if lines else Where.END
        found = next((letter for letter in _PLACES if self._skip(f"\\{letter}")), "")
        return _PLACES.get(found)

    def _letter(self, letter: str) -> Takes:
        if not self._flags.any_case:
            return letter.__eq__
        known = cases(letter)
        return lambda one: not known.isdisjoint(cases(one))

    def _group(self) -> Node | None:
        outer = self._flags
        if self._next() == "?":
            found = self._found(_GROUP)
            if found is None:
                raise self._malformed(f"invalid or unsupported Perl syntax: (?{self._text[self._at + 1 :][:1]}")
            self._flags = outer.changed(found[1] or "", to=True).changed(found[3] or "", to=False)
            if found[4] == ")":
                return None
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise self._malformed("it nests too deeply")
        node = self._choice()
        if not self._skip(")"):
            raise self._malformed("missing closing )")
        self._depth -= 1
        self._flags = outer
        return node

    def _escape(self) -> Takes:
        """Return what an escape takes, which has begun: a kind of characters, or one of them."""
        kind = self._kind()
        return self._letter(self._character()) if kind is None else kind

    def _kind(self) -> Takes | None:
        letter = self._next()
        if letter.lower() in PERL and letter:
            self._at += 1
            return self._cased(PERL[letter.lower()].__contains__, negated=letter.isupper())
        if found := self._found(_UNICODE):
            sign, caret, name, short = found.groups()
            takes = category(name or short)
            if takes is None:
                raise NotImplementedHere(f"\\{found[0]} in the regular expression {self._text} is not supported")
            return self._cased(takes, negated=(sign == "P") is not bool(caret))
        return None

    def _cased(self, takes: Takes, *, negated: bool = False) -> Takes:
        takes = folded(takes) if self._flags.any_case else takes
        return outside(takes) if negated else takes

    def _character(self) -> str:
        """Return the character that an escape stands for."""
        if found := self._found(_HEX) or self._found(_OCTAL):
            digits = found[0][1:].strip("{}")
            code = int(digits, 16) if found[0].startswith("x") else int(found[0], 8)
            if code > 0x10FFFF:
                raise self._malformed(f"invalid escape sequence: \\{found[0]}")
            return chr(code)
        letter = self._take()
        if letter in _LETTERS:
            return _LETTERS[letter]
        if letter.isalnum():
            raise self._malformed(f"invalid escape sequence: \\{letter}")
        return letter

    def _class(self) -> Takes:
        negated, some = self._skip("^"), list[Takes]()
        while not some or self._next() != "]":
            some.append(self._member())
        self._take()
        return lambda one: any(takes(one) for takes in some) is not negated

    def _member(self) -> Takes:
        if found := self._found(_NAMED):
            if found[2] not in NAMED:
                raise self._malformed(f"invalid character class range: {found[0]}")
            return self._cased(NAMED[found[2]].__contains__, negated=bool(found[1]))
        escaped = self._skip("\\")
        if escaped and (kind := self._kind()) is not None:
            return kind
        first = self._character() if escaped else self._take()
        if self._next() != "-" or self._text[self._at + 1 : self._at + 2] in ("", "]"):
            return self._letter(first)
        self._take()
        last = self._character() if self._skip("\\") else self._take()
        if last < first:
            raise self._malformed(f"invalid character class range {first}-{last}")
        return self._cased(lambda one: first <= one <= last)
