from __future__ import annotations

import pytest

from wharf.build.source_policy import Found
from wharf.engine.builds.regular import Expressions
from wharf.errors import InvalidArgument


def test_expressions_are_found_with_their_groups() -> None:
    expressions = Expressions(["b(.)(x)?", "nothing"])

    assert expressions("b(.)(x)?", "abcabdx") == [Found(1, 3, ["c", ""]), Found(4, 7, ["d", "x"])]
    assert expressions("nothing", "abcabdx") == []


def test_an_expression_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wharf.engine.builds.regular._MOST_S", 0.3)
    with pytest.raises(InvalidArgument, match="takes too long"):
        Expressions(["(a*)*b"])("(a*)*b", "a" * 60)


def test_a_malformed_expression_is_told_with_its_mistake() -> None:
    with pytest.raises(InvalidArgument, match=r"invalid regular expression \(: missing \)"):
        Expressions(["("])("(", "x")
