"""Filters as containerd spells them: ``field==value``, ``!=``, ``~=``, or a field alone; a comma is "and". Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere

_FIELD: Final = re.compile(r"([A-Za-z]+)(?:(==|!=|~=|>=|<=|>|<)(.*))?\Z", re.DOTALL)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@-]*\Z")  # expressions of which none takes long

Look = Callable[[str], str | None]
"""Returns a field's value; None when there is none."""


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
                return found is not None and re.search(self.value, found) is not None
        return (found == self.value) is (self.sign == "==")


def conditions_of(text: str, known: Collection[str], ordered: Collection[str] = ()) -> list[Condition]:
    """Return what one filter says, all of which must hold.

    Args:
        text: the filter.
        known: the fields that there are.
        ordered: those that are compared by size alone.

    Raises:
        InvalidArgument: it is malformed, or about an unknown field.
        NotImplementedHere: it has a regular expression that is more than plain text.
    """
    return [_condition(field, known, ordered) for field in _fields(text)]


def test_of(filters: Iterable[str], known: Collection[str]) -> Callable[[Look], bool]:
    """Return what says whether any of the filters holds; without one, all is wanted. Raises as above."""
    alternatives = [conditions_of(text, known) for text in filters if text]
    if not alternatives:
        return lambda _: True
    return lambda look: any(all(one.holds(look) for one in conditions) for conditions in alternatives)


def _fields(text: str) -> Sequence[str]:
    return next(csv.reader([text]), [])


def _condition(field: str, known: Collection[str], ordered: Collection[str]) -> Condition:
    found = _FIELD.match(field)
    name, sign, value = found.groups() if found else ("", "", "")
    if name not in known or ((sign or "=") in (">=", "<=", ">", "<")) is not (name in ordered):
        raise InvalidArgument(f"invalid filter {field}")
    if sign == "~=" and not _PLAIN.match(value):
        raise NotImplementedHere(
            f"the regular expression {value} in a filter is not supported by this build of wharf"
        )
    return Condition(name, sign or "", value or "")
