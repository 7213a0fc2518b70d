from __future__ import annotations

import pytest

from wharf.lib.memo import Memo


def test_a_question_is_answered_once() -> None:
    memo, asked = Memo[int](2), list[str]()

    def answer() -> int:
        asked.append("a")
        return len(asked)

    assert [memo.get("a", answer), memo.get("a", answer), asked] == [1, 1, ["a"]]


def test_what_nobody_has_asked_for_longest_goes() -> None:
    memo = Memo[str](2)
    for question in ("a", "b", "a", "c"):
        memo.get(question, lambda: "old")

    assert [memo.get("a", lambda: "new"), memo.get("b", lambda: "new")] == ["old", "new"]


def test_an_error_is_no_answer() -> None:
    memo = Memo[str](2)

    def fail() -> str:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  # the one from above
        memo.get("a", fail)
    assert memo.get("a", lambda: "known") == "known"


def test_what_was_found_elsewhere_is_kept_too() -> None:
    memo = Memo[str](1)
    memo.put("a", "1")
    memo.put("b", "2")

    assert [memo.find("a"), memo.find("b")] == [None, "2"]
