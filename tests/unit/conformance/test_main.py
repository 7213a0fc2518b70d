from __future__ import annotations

from pathlib import Path

import pytest
from conformance.__main__ import run
from conformance.suites import Outcome, Suite, Unavailable


def test_each_suite_becomes_a_row_beside_its_baseline(tmp_path: Path) -> None:
    suite = Suite("s", baseline=5, run=lambda folder: Outcome(4, 1, len(list(folder.iterdir())), ("a.b", "a.c")))

    assert run([suite], tmp_path) == [{"suite": "s", "passed": 4, "failed": 1, "skipped": 0, "baseline": 5}]
    assert (tmp_path / "conformance.s.txt").read_text() == "a.b\na.c\n"


def test_without_suites_there_are_no_rows(tmp_path: Path) -> None:
    assert run([], tmp_path) == []


def test_suite_that_cannot_be_run_here_says_why_and_has_no_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(_: Path) -> Outcome:
        raise Unavailable("no checkout")

    assert run([Suite("s", baseline=5, run=unavailable)], tmp_path) == []
    assert capsys.readouterr().err == "conformance: s: NOT RUN: no checkout\n"
