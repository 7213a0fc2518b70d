from __future__ import annotations

import pytest

from wharf.cli.system_check import line, summary


def test_a_finding_says_what_which_why_and_what_to_do() -> None:
    finding = {"kind": "blob", "subject": "sha256:1", "problem": "its bytes are others", "remedy": "pull again"}

    assert line(finding) == "blob sha256:1: its bytes are others (pull again)"
    assert line({**finding, "remedy": ""}) == "blob sha256:1: its bytes are others"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 0), "All is well"),
        ((1, 0, 0), "1 problem"),
        ((2, 1, 0), "2 problems: 1 repaired"),
        ((0, 1, 3), "All is well: 1 repaired, 3 that nothing refers to"),
    ],
)
def test_the_last_line_counts(counts: tuple[int, int, int], said: str) -> None:
    assert summary(dict(zip(("problems", "repaired", "garbage"), counts, strict=True))) == said
