"""Patterns of ``.dockerignore`` (Dockerfile reference, "dockerignore file"); pure.

``*`` and ``?`` stay within a name, ``**`` is any number of folders, ``!`` takes back what an earlier pattern matched;
the last pattern that matches decides. A pattern that matches a folder matches all in it.
"""

from __future__ import annotations

import posixpath
import re

_EVERYTHING = ("*", "**", "**/*")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def read_patterns(text: str) -> list[str]:
    """Return the patterns of a file: without comments, white space, and leading and trailing slashes."""
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        pattern = line.strip()
        negated = pattern.startswith("!")
        body = pattern[1:].strip() if negated else pattern
        if body:
            body = posixpath.normpath(body)
            body = body.lstrip("/") if len(body) > 1 else body
        patterns.append(f"!{body}" if negated else body)
    return patterns


class Matcher:
    """Patterns, ready to be asked.

    Raises:
        ValueError: a pattern is malformed; the message says which.
    """

    __slots__ = ("_patterns", "has_exceptions", "matches_everything")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns: list[tuple[bool, re.Pattern[str]]] = []
        self.matches_everything = False  # one pattern does, whatever others say
        for text in patterns:
            pattern = text.strip()
            negated = pattern.startswith("!")
            body = pattern[1:].strip() if negated else pattern
            if not body:
                if negated:
                    raise ValueError('illegal exclusion pattern: "!"')
                continue
            clean = posixpath.normpath(body).lstrip("/")
            self._patterns.append((not negated, _compile(clean)))
            self.matches_everything |= not negated and clean in _EVERYTHING
        self.has_exceptions = any(not matches for matches, _ in self._patterns)

    @property
    def patterns(self) -> tuple[tuple[bool, str], ...]:
        """What it asks, in order: whether a pattern ignores, and its regular expression. Equal ones answer alike."""
        return tuple((ignores, pattern.pattern) for ignores, pattern in self._patterns)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def matches(self, path: str) -> bool:
        """Return whether the last pattern that fits ``path`` (relative, clean), or a folder above it, matches."""
        found = False
        for matches, pattern in self._patterns:
            if matches != found and pattern.match(path):
                found = matches
        return found


def pattern_regex(pattern: str) -> str:
    """Return a pattern as a regular expression of a whole path (Go's filepath.Match, and ``**``).

    Raises:
        ValueError: it is malformed.
    """
    out, at = "", 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        out += piece
    return out


def _piece(pattern: str, at: int) -> tuple[str, int]:
    """Return what stands for the pattern's next part, and where the part after it begins."""
    character = pattern[at]
    if pattern.startswith("**/", at):
        return "(?:.*/)?", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    if character in "*?":
        return "[^/]*" if character == "*" else "[^/]", at + 1
    if character == "[":
        end = pattern.find("]", at + 2)
        if end < 0:
            raise ValueError(f"syntax error in pattern: {pattern!r}")
        body = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
        return f"[{body}]", end + 1
    if character == "\\":
        if at + 1 == len(pattern):
            raise ValueError(f"syntax error in pattern: {pattern!r}")
        return re.escape(pattern[at + 1]), at + 2
    return re.escape(character), at + 1


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(rf"(?:{pattern_regex(pattern)})(?:/.*)?\Z", re.DOTALL)
    except re.error as error:
        raise ValueError(f"syntax error in pattern: {pattern!r}: {error}") from None
