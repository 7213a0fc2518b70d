"""How long each step of a start took."""

from __future__ import annotations

from time import perf_counter_ns


class Steps:
    """A stopwatch with named laps, in microseconds."""

    __slots__ = ("_since", "us")

    def __init__(self) -> None:
        self.us: dict[str, int] = {}
        self._since = perf_counter_ns()

    def done(self, name: str) -> None:
        """Book the time since the last lap under ``name``."""
        now = perf_counter_ns()
        self.us[name] = self.us.get(name, 0) + (now - self._since) // 1000
        self._since = now
