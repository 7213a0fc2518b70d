from __future__ import annotations

import pytest

from wharf.build.solver.cache import Record
from wharf.engine.builds.collecting import Collection, chosen, matches, staying_bytes
from wharf.errors import InvalidArgument


def _record(name: str, used_ns: int, size_bytes: int, *, in_use: bool = False) -> Record:
    return Record(name, 0, used_ns, 0, name, size_bytes, "", in_use)


_RECORDS = [_record("old", 1, 10), _record("held", 2, 10, in_use=True), _record("new", 9, 10)]


def test_everything_goes_but_what_is_in_use() -> None:
    assert [record.chain_id for record in chosen(_RECORDS, Collection(), 10)] == ["old", "new"]


def test_the_least_recently_used_go_until_it_is_little_enough() -> None:
    assert [record.chain_id for record in chosen(_RECORDS, Collection(kept_bytes=20), 10)] == ["old"]
    assert chosen(_RECORDS, Collection(kept_bytes=30), 10) == []


def test_the_old_go_whatever_they_take() -> None:
    assert [record.chain_id for record in chosen(_RECORDS, Collection(unused_for_ns=5), 10)] == ["old"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"id": ["old"]}, True),
        ({"id": ["new"]}, False),
        ({"description": ["ol"]}, True),
        ({"description": ["x"]}, False),
        ({"type": ["regular"]}, True),
        ({"type": ["exec.cachemount"]}, False),
        ({"parent": ["base"]}, True),
        ({"parent": ["other"]}, False),
        ({"inuse": ["false"]}, True),
        ({"inuse": ["true"]}, False),
        ({"shared": ["true"]}, False),
        ({"private": ["1"]}, True),
        ({"label": ["a"]}, False),
        ({"label!": ["a"]}, True),
    ],
)
def test_results_are_chosen_by_what_they_are(filters: dict[str, list[str]], expected: bool) -> None:
    record = Record("old", 0, 1, 0, "old", 10, "base", in_use=False)

    assert matches(record, filters) is expected


def test_what_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"invalid filter 'inuse=\[maybe\]'"):
        matches(_RECORDS[0], {"inuse": ["maybe"]})


@pytest.mark.parametrize(
    ("free", "most", "stays"), [(100, 0, 50), (30, 0, 30), (30, 20, 20), (0, 0, 1), (200, 40, 40)]
)
def test_results_stay_as_long_as_there_is_room(free: int, most: int, stays: int) -> None:
    assert staying_bytes(50, free, 50, most) == stays
