"""What a suite is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class Unavailable(Exception):
    """What a suite needs cannot be had here; it says what."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many tests of a suite passed, failed and were skipped."""

    passed: int
    failed: int
    skipped: int
    missing: tuple[str, ...] = ()  # the ids of the tests that the peer passes and we do not


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite written by others; its run may raise :class:`Unavailable`."""

    name: str
    baseline: int  # how many tests the peer passes on the kind of machine named in docs/performance.md
    run: Callable[[Path], Outcome]  # given a scratch folder that is removed afterwards
