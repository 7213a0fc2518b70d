"""What a program counts and times of itself, for whoever reads figures: counters, and histograms by a label."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds: Prometheus' own defaults, which dockerd has."""


@dataclass(slots=True)
class Histogram:
    """How long things took."""

    within: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))  # of each bound, and not of the one before
    count: int = 0
    sum_s: float = 0.0

    def observe(self, seconds: float) -> None:
        """Take one more."""
        self.count += 1
        self.sum_s += seconds
        for number, bound in enumerate(BUCKETS):
            if seconds <= bound:
                self.within[number] += 1
                break

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Yield each bound with how many took no longer."""
        total = 0
        for bound, within in zip(BUCKETS, self.within, strict=True):
            total += within
            yield bound, total


class Measures:
    """Those of one engine. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.counts: Counter[str] = Counter()
        self.times: dict[str, dict[str, Histogram]] = {}  # by what is timed, and which of its actions

    def count(self, what: str) -> None:
        """Count one more."""
        self.counts[what] += 1

    @contextmanager
    def timed(self, what: str, action: str) -> Iterator[None]:
        """Time the block, if it comes to its end."""
        began = self._clock()
        yield
        self.times.setdefault(what, {}).setdefault(action, Histogram()).observe(self._clock() - began)
