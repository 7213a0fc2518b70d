from __future__ import annotations

from pathlib import Path

from conformance.__main__ import run
from conformance.suites import Outcome, Suite


def test_each_suite_becomes_a_row_beside_its_baseline(tmp_path: Path) -> None:
    suite = Suite("s", baseline=5, run=lambda folder: Outcome(4, 1, len(list(folder.iterdir())), ("a.b", "a.c")))

    assert run([suite], tmp_path) == [{"suite": "s", "passed": 4, "failed": 1, "skipped": 0, "baseline": 5}]
    assert (tmp_path / "conformance.s.txt").read_text() == "a.b\na.c\n"


def test_without_suites_there_are_no_rows(tmp_path: Path) -> None:
    assert run([], tmp_path) == []
