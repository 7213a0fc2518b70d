from __future__ import annotations

import pytest
from bench.report import BEGIN, END, machine, replaced


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    assert replaced(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the page lacks"):
        replaced("no marks", "new")


def test_the_machine_is_described_in_one_sentence() -> None:
    assert "processors" in machine()
    assert "\n" not in machine()
