"""``python -m conformance [suite...]``: run the suites, print a table, write ``build/conformance.json``.

``build/conformance.<suite>.txt`` has the tests that the peer passes and we do not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from conformance.registry import SUITES
from conformance.suites import Suite, Unavailable

_BUILD = Path(__file__).parent.parent / "build"


class Row(TypedDict):
    """One line of the result."""

    suite: str
    passed: int
    failed: int
    skipped: int
    baseline: int


def run(suites: Iterable[Suite], build: Path = _BUILD) -> list[Row]:
    """Run each suite in a scratch folder of its own; write what is missing below ``build``."""
    rows: list[Row] = []
    for suite in suites:
        with tempfile.TemporaryDirectory(prefix="wharf-conformance.") as folder:
            try:
                outcome = suite.run(Path(folder))
            except Unavailable as error:
                sys.stderr.write(f"conformance: {suite.name}: NOT RUN: {error}\n")
                continue
        missing = "".join(f"{test}\n" for test in outcome.missing)
        (build / f"conformance.{suite.name}.txt").write_text(missing)
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
    parser = argparse.ArgumentParser(prog="python -m conformance", description="Run suites that others wrote.")
    parser.add_argument("suites", nargs="*", choices=[*(suite.name for suite in SUITES), []], help="all by default")
    names = parser.parse_args().suites
    if os.geteuid() != 0:
        sys.stderr.write("conformance: it needs root\n")
        return 1
    _BUILD.mkdir(exist_ok=True)
    rows = run([suite for suite in SUITES if not names or suite.name in names])
    (_BUILD / "conformance.json").write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        sys.stdout.write(
            "{suite}: {passed} passed (the peer: {baseline}), {failed} failed, {skipped} skipped\n".format(**row)
        )
    return int(any(row["passed"] < row["baseline"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
