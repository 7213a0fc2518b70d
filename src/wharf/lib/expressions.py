"""Regular expressions in linear time: those of strangers must not be able to keep us busy. Pure.

They are written as Go's are (:mod:`wharf.lib.expression_syntax`). An expression becomes a small program, all of whose
states are followed at once (Thompson, 1968): a text costs its length times the program's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wharf.errors import NotImplementedHere
from wharf.lib.characters import Takes, is_word
from wharf.lib.expression_syntax import At, Choice, Node, Repeat, Sequence, Take, Where, read

MOST_STATES: Final = 1000


@dataclass(slots=True)
class _State:
    """One step of a program: it takes a character, or stands at a place of the text, or only leads on."""

    leads: tuple[int, ...] = ()
    takes: Takes | None = None
    where: Where | None = None


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
        self._begin = self._made(read(text), self._end)

    def found_in(self, text: str) -> bool:
        """Return whether any part of a text is as it says."""
        current: set[int] = set()
        for place in range(len(text) + 1):
            self._enter(self._begin, place, text, current)
            if self._end in current:
                return True
            if place < len(text):
                current = self._after(text[place], current, place + 1, text)
        return False

    def _after(self, character: str, current: set[int], place: int, text: str) -> set[int]:
        following: set[int] = set()
        for number in current:
            state = self._states[number]
            if state.takes is not None and state.takes(character):
                self._enter(state.leads[0], place, text, following)
        return following

    def _enter(self, number: int, place: int, text: str, into: set[int]) -> None:
        """Add a state, and all that it leads to without a character."""
        pending = [number]
        while pending:
            one = pending.pop()
            if one in into:
                continue
            into.add(one)
            state = self._states[one]
            if state.takes is None and (state.where is None or _is_at(state.where, text, place)):
                pending += state.leads

    def _add(self, state: _State) -> int:
        if len(self._states) == MOST_STATES:
            raise NotImplementedHere("a regular expression is larger than is supported")
        self._states.append(state)
        return len(self._states) - 1

    def _made(self, node: Node, following: int) -> int:
        """Return where a part of the program begins that leads to ``following``."""
        match node:
            case Take(takes):
                return self._add(_State((following,), takes))
            case At(where):
                return self._add(_State((following,), where=where))
            case Choice(parts):
                return self._add(_State(tuple(self._made(part, following) for part in parts)))
            case Sequence(parts):
                entry = self._add(_State((following,)))
                for part in reversed(parts):
                    entry = self._made(part, entry)
                return entry
            case Repeat(part, least, most):
                return self._repeated(part, least, most, following)

    def _repeated(self, part: Node, least: int, most: int | None, following: int) -> int:
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


def _is_at(where: Where, text: str, place: int) -> bool:
    match where:
        case Where.BEGIN:
            return place == 0
        case Where.END:
            return place == len(text)
        case Where.LINE_BEGIN:
            return place == 0 or text[place - 1] == "\n"
        case Where.LINE_END:
            return place == len(text) or text[place] == "\n"
    between = (place > 0 and is_word(text[place - 1])) is not (place < len(text) and is_word(text[place]))
    return between is (where is Where.BOUNDARY)
