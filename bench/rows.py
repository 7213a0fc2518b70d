"""The rows of ``build/bench.json``: pure arithmetic on what was measured, and the tables made of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict


class Step(TypedDict):
    """Which figure of the start path a row is: they have a table of their own."""

    network: str
    name: str
    word: str  # median or p95


class Row(TypedDict):
    """One line of the result; ``ours``, ``floor`` and ``peers`` are medians in ``unit``."""

    name: str
    unit: str
    ours: float | None
    floor: float | None
    peers: dict[str, float]
    target: float | None  # the most that ours may be
    met: bool | None
    note: NotRequired[str]
    step: NotRequired[Step]


@dataclass(frozen=True, slots=True)
class Target:
    """The most that ours may be: ``times`` the floor, plus ``plus``; or so many times what each of ``peers`` is."""

    plus: float = 0.0
    times: float = 0.0
    peers: Mapping[str, float] = field(default_factory=dict)

    def value(self, floor: float | None, medians: Mapping[str, float]) -> float | None:
        """Return the limit, or None when it depends on a floor, or on peers, of which none was measured."""
        if self.peers:
            return min((medians[name] * times for name, times in self.peers.items() if name in medians), default=None)
        if self.times and floor is None:
            return None
        return self.times * (floor or 0.0) + self.plus


@dataclass(slots=True)
class Samples:
    """What was measured under one name, by side; ``wharf`` and ``floor`` are sides like the others."""

    name: str
    unit: str
    target: Target | None = None
    by_side: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side: str, values: Iterable[float]) -> None:
        """Add values of one side, in ``unit``."""
        self.by_side.setdefault(side, []).extend(values)

    def row(self) -> Row:
        """Return the medians as a row."""
        medians = {side: _rounded(statistics.median(values)) for side, values in self.by_side.items() if values}
        ours, floor = medians.pop("wharf", None), medians.pop("floor", None)
        limit = self.target.value(floor, medians) if self.target else None
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": ours,
            "floor": floor,
            "peers": medians,
            "target": None if limit is None else _rounded(limit),
            "met": None if limit is None or ours is None else ours <= limit,
        }


def step_rows(network: str, steps: Sequence[Mapping[str, int]]) -> list[Row]:
    """Return two rows (median and p95) for each step of the start path, in the order the steps were taken."""
    names = list(dict.fromkeys(name for one in steps for name in one))
    rows: list[Row] = []
    for name in names:
        values = [one[name] for one in steps if name in one]
        for word, value in (("median", statistics.median(values)), ("p95", percentile(values, 95))):
            rows.append(
                {
                    "name": f"start on {network}, step {name}, {word}",
                    "unit": "µs",
                    "ours": _rounded(value),
                    "floor": None,
                    "peers": {},
                    "target": None,
                    "met": None,
                    "step": {"network": network, "name": name, "word": word},
                }
            )
    return rows


def step_table(rows: Iterable[Row]) -> list[list[str]]:
    """Return the steps of the start path as a table, its head first: a line a step; nothing without steps."""
    steps = [(row["step"], row["ours"]) for row in rows if "step" in row]
    columns = list(dict.fromkeys((step["network"], step["word"]) for step, _ in steps))
    figures = {(step["name"], step["network"], step["word"]): value for step, value in steps}
    head = ["step, µs", *(f"{network}, {word}" for network, word in columns)]
    names = dict.fromkeys(step["name"] for step, _ in steps)
    lines = [[name, *(number(figures.get((name, *column))) for column in columns)] for name in names]
    return [head, *lines] if lines else []


def merged(old: Iterable[Row], new: Sequence[Row]) -> list[Row]:
    """Return the old rows with those replaced that were measured again, and the others at the end."""
    fresh = {row["name"]: row for row in new}
    kept = [fresh.pop(row["name"], row) for row in old]
    return [*kept, *fresh.values()]


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that ``percent`` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def markdown(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    rows = list(rows)
    steps = step_table(rows)
    rows = [row for row in rows if "step" not in row]
    peers = list(dict.fromkeys(name for row in rows for name in row["peers"]))
    lines = [
        "| " + " | ".join(["what", "unit", "wharf", "floor", *peers, "target", "met"]) + " |",
        "|---|---|" + "--:|" * (len(peers) + 3) + "---|",
    ]
    lines += ["| " + " | ".join(cells(row, peers)) + " |" for row in rows]
    if steps:
        lines += ["", *("| " + " | ".join(line) + " |" for line in steps)]
        lines.insert(len(lines) - len(steps) + 1, "|---|" + "--:|" * (len(steps[0]) - 1))
    return "\n".join(lines) + "\n"


def cells(row: Row, peers: Iterable[str]) -> list[str]:
    """Return the cells of one line of a table."""
    return [
        row["name"],
        row["unit"],
        number(row["ours"]),
        number(row["floor"]),
        *(number(row["peers"].get(peer)) for peer in peers),
        number(row["target"]),
        {True: "yes", False: "no", None: ""}[row["met"]],
    ]


def number(value: float | None) -> str:
    """Return a figure as a reader wants it: three digits that count, and nothing for nothing."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _rounded(value: float) -> float:
    return round(value, 3)
