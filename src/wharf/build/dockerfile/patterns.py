"""Shell patterns of ``*`` and ``?`` as ``${var#pattern}`` and its kin use them. Pure."""

from __future__ import annotations

import re
from typing import Final

_ESCAPABLE: Final = "*?\\"


def cut_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """Return ``value`` less the prefix that matches.

    Raises:
        ValueError: the pattern is malformed.
    """
    found = re.match(_regex(pattern, longest=longest), value, re.DOTALL)
    return value[found.end() :] if found else value


def cut_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """Return ``value`` less the suffix that matches; raises as :func:`cut_prefix`."""
    regex = re.compile(_regex(pattern, longest=True), re.DOTALL)
    starts = range(len(value) + 1) if longest else range(len(value), -1, -1)
    return next((value[:start] for start in starts if regex.fullmatch(value, start)), value)


def replace(value: str, pattern: str, replacement: str, *, every: bool) -> str:
    """Return ``value`` with its first match, or every one, replaced; raises as :func:`cut_prefix`."""
    return re.sub(
        _regex(pattern, longest=True), lambda _: replacement, value, count=0 if every else 1, flags=re.DOTALL
    )


def _regex(pattern: str, *, longest: bool) -> str:
    out, position = "", 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            out += ".*" if longest else ".*?"
        elif character == "?":
            out += "."
        elif character != "\\":
            out += re.escape(character)
        elif pattern[position : position + 1] not in ("}", "/"):  # those are escaped for ${} alone
            escaped = pattern[position : position + 1]
            if not escaped or escaped not in _ESCAPABLE:
                raise ValueError(f"invalid escape '\\{escaped}'")
            out += re.escape(escaped)
            position += 1
    return out
