"""What is wrong with a Dockerfile, and in which lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wharf.errors import InvalidArgument

_FARTHEST: Final = 2  # more changes of a letter than this, and a word was not meant


class DockerfileError(InvalidArgument):
    """A Dockerfile, or a step of it, is malformed.

    Attributes:
        lines: the first and the last line it is about, from 1; (0, 0) when unknown.
    """

    def __init__(self, message: str, lines: tuple[int, int] = (0, 0)) -> None:
        super().__init__(message)
        self.lines = lines


def at(error: Exception, lines: tuple[int, int], *, prefix: bool = True) -> DockerfileError:
    """Return ``error`` with its place, in BuildKit's words."""
    if isinstance(error, DockerfileError) and error.lines != (0, 0):
        return error
    where = f"dockerfile parse error on line {lines[0]}: " if prefix else ""
    return DockerfileError(f"{where}{error}", lines)


def meant(word: str, known: Iterable[str], *, fold: bool = False) -> str:
    """Return `` (did you mean X?)`` for the nearest of ``known``, or nothing when none is near."""
    best, found = _FARTHEST + 1, ""
    for option in known:
        distance = _distance(word.lower(), option.lower()) if fold else _distance(word, option)
        if distance == 0:
            return ""
        if distance < best:
            best, found = distance, option
    if fold and word == word.lower():
        found = found.lower()
    return f" (did you mean {found}?)" if found else ""


def _distance(a: str, b: str) -> int:
    """Return how many letters have to be changed, added or removed (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]
