"""SOURCE_DATE_EPOCH: the time that a build is to say that its results are of. Pure."""

from __future__ import annotations

import re
from typing import Final

from wharf.errors import InvalidArgument

EPOCH: Final = "SOURCE_DATE_EPOCH"
OF_THE_CONTEXT: Final = "context"
"""The value that stands for the time of the main context (BuildKit, docs/build-repro)."""

_SECONDS: Final = re.compile(r"-?[0-9]{1,18}\Z")
_FIRST: Final = -62_135_596_800
_LAST: Final = 253_402_300_799


def epoch_of(text: str) -> int | None:
    """Return a time in seconds; None where none is said.

    Raises:
        InvalidArgument: it is no whole number, or outside the years that times are written with, 1 to 9999.
    """
    if not text:
        return None
    if not _SECONDS.match(text) or not _FIRST <= int(text) <= _LAST:
        raise InvalidArgument(f"invalid SOURCE_DATE_EPOCH: {text}")
    return int(text)


def settled(value: str, context_s: int | None) -> str:
    """Return what is said of a time, with that of the main context in its place; "" where it has none: a folder."""
    if value != OF_THE_CONTEXT:
        return value
    return "" if context_s is None else str(context_s)
