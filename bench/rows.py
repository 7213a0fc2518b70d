"""The rows of ``build/bench.json``: pure arithmetic on what was measured, and the tables made of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict


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


@dataclass(frozen=True, slots=True)
class Target:
    """The most that ours may be: ``times`` the floor, plus ``plus``."""

    plus: float = 0.0
    times: float = 0.0

    def value(self, floor: float | None) -> float | None:
        """Return the limit, or None when it depends on a floor that was not measured."""
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
        limit = self.target.value(floor) if self.target else None
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
                }
            )
    return rows


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that ``percent`` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def markdown(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    rows = list(rows)
    peers = list(dict.fromkeys(name for row in rows for name in row["peers"]))
    lines = [
        "| " + " | ".join(["what", "unit", "wharf", "floor", *peers, "target", "met"]) + " |",
        "|---|---|" + "--:|" * (len(peers) + 3) + "---|",
    ]
    lines += ["| " + " | ".join(cells(row, peers)) + " |" for row in rows]
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
