"""``python -m conformance``: run every suite, print a table, write ``build/conformance.json``."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from conformance.registry import SUITES
from conformance.suites import Suite

_TOP = Path(__file__).parent.parent


class Row(TypedDict):
    """One line of the result."""

    suite: str
    passed: int
    failed: int
    skipped: int
    baseline: int


def run(suites: Iterable[Suite]) -> list[Row]:
    """Run each suite in a scratch folder of its own."""
    rows: list[Row] = []
    for suite in suites:
        with tempfile.TemporaryDirectory(prefix="wharf-conformance.") as folder:
            outcome = suite.run(Path(folder))
        rows.append(
            {
                "suite": suite.name,
                "passed": outcome.passed,
                "failed": outcome.failed,
                "skipped": outcome.skipped,
                "baseline": suite.baseline,
            }
        )
    return rows


def main() -> int:
    """Return 1 when a suite passes less than its baseline."""
    rows = run(SUITES)
    out = _TOP / "build/conformance.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        sys.stdout.write(
            "{suite}: {passed} passed (the peer: {baseline}), {failed} failed, {skipped} skipped\n".format(**row)
        )
    return int(any(row["passed"] < row["baseline"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
