"""``--chmod``: octal, or symbolic as chmod(1) takes it. Pure."""

from __future__ import annotations

import re
from typing import Final

_CLAUSE: Final = re.compile(r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)")
_ACTION: Final = re.compile(r"([-+=])([ugo]|[rwxXst]*)")
_SHIFTS: Final = {"u": 6, "g": 3, "o": 0}
_BITS: Final = {"r": 4, "w": 2, "x": 1}


def changed_mode(text: str, mode: int, *, folder: bool) -> int:
    """Return the twelve bits of ``mode`` after ``text``; ``X`` counts for folders and what can be executed.

    Raises:
        ValueError: it is no mode.
    """
    if text.isdigit():
        return int(text, 8)
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise ValueError(f"invalid mode {text!r}")
        who = match[1].replace("a", "ugo") or "ugo"
        for operator, what in _ACTION.findall(match[2]):
            mode = _apply(mode, set(who), operator, what, folder=folder)
    return mode


def _apply(mode: int, who: set[str], operator: str, what: str, *, folder: bool) -> int:
    wanted, mask = 0, 0
    for one in who:
        shift = _SHIFTS[one]
        bits = (mode >> _SHIFTS[what]) & 7 if what in _SHIFTS else _bits(what, mode, folder=folder)
        wanted |= bits << shift
        mask |= 7 << shift
    special = ("s" in what and 0o4000 * ("u" in who) | 0o2000 * ("g" in who)) or 0
    special |= 0o1000 if "t" in what else 0
    if operator == "+":
        return mode | wanted | special
    if operator == "-":
        return mode & ~(wanted | special)
    return (mode & ~mask) | wanted | special


def _bits(what: str, mode: int, *, folder: bool) -> int:
    bits = sum(_BITS[letter] for letter in set(what) if letter in _BITS)
    return bits | 1 if "X" in what and (folder or mode & 0o111) else bits
