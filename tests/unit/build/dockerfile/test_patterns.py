from __future__ import annotations

import pytest

from wharf.build.dockerfile import patterns


def test_the_shortest_or_longest_prefix_and_suffix_are_cut() -> None:
    assert patterns.cut_prefix("aXbXc", "*X", longest=False) == "bXc"
    assert patterns.cut_prefix("aXbXc", "*X", longest=True) == "c"
    assert patterns.cut_suffix("aXbXc", "X*", longest=False) == "aXb"
    assert patterns.cut_suffix("aXbXc", "X*", longest=True) == "a"
    assert patterns.cut_suffix("abc", "z", longest=True) == "abc"


def test_one_match_or_every_one_is_replaced() -> None:
    assert patterns.replace("a.b.c", ".", "-", every=False) == "a-b.c"
    assert patterns.replace("a.b.c", ".", "\\1", every=True) == "a\\1b\\1c"
    assert patterns.replace("a*b", "\\*", "+", every=True) == "a+b"


def test_an_escape_of_anything_else_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid escape"):
        patterns.cut_prefix("x", "\\q", longest=True)
