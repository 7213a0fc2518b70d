"""The registry: which suites there are, and what the real peer passes of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many tests of a suite passed, failed and were skipped."""

    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite written by others."""

    name: str
    baseline: int  # how many tests the peer passes on the kind of machine named in docs/performance.md
    run: Callable[[Path], Outcome]  # given a scratch folder that is removed afterwards


SUITES: tuple[Suite, ...] = ()
"""Every suite that is run. None yet: those of OCI's runtime tools and of docker-py come first."""
