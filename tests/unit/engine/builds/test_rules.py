from __future__ import annotations

import pytest

from wharf.build.solver.cache import Record
from wharf.engine.builds.rules import due, going, most_bytes
from wharf.engine.options import BUILD_RULES, BuildRule

_HOUR_NS = 3600 * 10**9
_DAY_NS = 24 * _HOUR_NS


def _record(name: str, used_ns: int, size_bytes: int, *, in_use: bool = False) -> Record:
    return Record(name, 0, used_ns, 0, name, size_bytes, "", in_use)


_RECORDS = [_record("old", 1, 10), _record("held", 2, 10, in_use=True), _record("mid", 8, 10), _record("new", 9, 10)]


def _gone(rules: list[BuildRule], free: int = 0, now_ns: int = 10) -> list[str]:
    return [record.chain_id for record in going(_RECORDS, rules, free, now_ns)]


@pytest.mark.parametrize(
    ("rule", "used", "free", "most"),
    [
        (BuildRule(), 100, 0, None),
        (BuildRule(reserved_bytes=10), 100, 0, 10),
        (BuildRule(most_bytes=50), 100, 0, 50),
        (BuildRule(reserved_bytes=60, most_bytes=50), 100, 0, 60),
        (BuildRule(free_bytes=30), 100, 20, 90),  # ten are lacking
        (BuildRule(free_bytes=30), 100, 40, 100),  # none are
        (BuildRule(free_bytes=500), 100, 0, 0),
        (BuildRule(reserved_bytes=40, most_bytes=80, free_bytes=90), 100, 0, 40),
    ],
)
def test_a_rule_lets_so_much_be(rule: BuildRule, used: int, free: int, most: int | None) -> None:
    assert most_bytes(rule, used, free) == most


def test_the_least_recently_used_go_while_there_is_too_much() -> None:
    assert _gone([BuildRule(most_bytes=20)]) == ["old", "mid"]
    assert _gone([BuildRule(most_bytes=40)]) == []
    assert _gone([BuildRule(free_bytes=15)], free=5) == ["old"]
    assert _gone([]) == []


def test_a_rule_with_filters_lets_only_those_go_and_a_second_one_sees_what_is_left() -> None:
    mid = BuildRule(filters={"description": ("mid",)})
    assert _gone([mid]) == ["mid"]
    assert _gone([mid, BuildRule(most_bytes=20)]) == ["mid", "old"]
    assert _gone([BuildRule(filters={"type": ("exec.cachemount",)})]) == []


def test_an_age_counts_together_with_a_size() -> None:
    aged = {"unused-for": ("1h",)}
    assert _gone([BuildRule(filters=aged)], now_ns=_HOUR_NS + 5) == ["old"]
    assert _gone([BuildRule(most_bytes=40, filters=aged)], now_ns=_HOUR_NS + 5) == []


def test_an_engine_keeps_what_is_new_and_fits() -> None:
    assert _gone([*BUILD_RULES]) == []
    assert _gone([*BUILD_RULES], now_ns=30 * _DAY_NS + 5) == ["old"]


@pytest.mark.parametrize(
    ("extent", "now_ns", "expected"),
    [((20, 1), 6, False), ((21, 1), 6, True), ((20, 1), _HOUR_NS + 2, True), ((0, 0), 100, False)],
)
def test_results_are_looked_at_one_by_one_when_they_are_too_much_or_one_is_too_old(
    extent: tuple[int, int], now_ns: int, *, expected: bool
) -> None:
    rules = (BuildRule(filters={"unused-for": ("1h",)}), BuildRule(20))
    assert due(extent, rules, now_ns) is expected
