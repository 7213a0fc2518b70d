from __future__ import annotations

from conformance.__main__ import run
from conformance.suites import Outcome, Suite


def test_each_suite_becomes_a_row_beside_its_baseline() -> None:
    suite = Suite(
        "s", baseline=5, run=lambda folder: Outcome(passed=4, failed=1, skipped=len(list(folder.iterdir())))
    )

    assert run([suite]) == [{"suite": "s", "passed": 4, "failed": 1, "skipped": 0, "baseline": 5}]


def test_without_suites_there_are_no_rows() -> None:
    assert run([]) == []
