from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.build.solver.cache import Cache
from wharf.lib.digest import Digest
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots

_LAYER = Digest("sha256:" + "1" * 64)
_UPPER = Digest("sha256:" + "2" * 64)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Cache, Database, Snapshots]]:
    database = Database(tmp_path / "db")
    snapshots = Snapshots(DataRoot(tmp_path), database)
    clock = iter(range(1, 1000))
    with database.transaction() as db:
        snapshots.record(db, _LAYER, parent=None, diff_id=_LAYER, size_bytes=10)
        snapshots.record(db, _UPPER, parent=_LAYER, diff_id=_UPPER, size_bytes=20)
    yield Cache(database, snapshots, clock.__next__), database, snapshots
    database.close()


def test_a_result_is_found_by_each_of_its_keys(made: tuple[Cache, Database, Snapshots]) -> None:
    cache, database, _ = made
    with database.transaction() as db:
        cache.recorder(["a", "b"], "RUN x")(db, _LAYER)
    cache.alias("c", _LAYER, "RUN x")

    assert [cache.find(key) for key in "abcd"] == [_LAYER, _LAYER, _LAYER, None]


def test_records_come_with_the_least_recently_used_first(made: tuple[Cache, Database, Snapshots]) -> None:
    cache, _, _ = made
    cache.alias("a", _LAYER, "one")
    cache.alias("b", _UPPER, "two")
    cache.find("a")

    assert [(r.description, r.size_bytes, r.parent, r.uses) for r in cache.records()] == [
        ("two", 20, _LAYER, 0),
        ("one", 10, "", 1),
    ]


def test_the_extent_of_results_counts_each_once(made: tuple[Cache, Database, Snapshots]) -> None:
    cache, _, _ = made
    assert cache.extent() == (0, 0)

    cache.alias("a", _LAYER, "one")
    cache.alias("b", _UPPER, "two")
    cache.alias("c", _LAYER, "one again")

    assert cache.extent() == (30, 2)


def test_what_is_entered_or_forgotten_is_a_change_and_what_is_used_is_none(
    made: tuple[Cache, Database, Snapshots],
) -> None:
    cache, _, _ = made
    counts = [cache.changes]
    for step in (lambda: cache.alias("a", _LAYER, "one"), lambda: cache.find("a"), lambda: cache.forget([_LAYER])):
        step()
        counts.append(cache.changes)

    assert counts == [0, 1, 1, 2]


def test_what_a_build_holds_is_not_forgotten(made: tuple[Cache, Database, Snapshots]) -> None:
    cache, _, _ = made
    cache.alias("a", _LAYER, "one")
    cache.alias("b", _UPPER, "two")
    cache.hold(_LAYER)

    assert cache.forget([_LAYER, _UPPER]) == [_UPPER]
    assert (cache.find("a"), cache.find("b")) == (_LAYER, None)

    cache.release([_LAYER])
    assert cache.forget([_LAYER]) == [_LAYER]


def test_a_result_whose_layers_have_gone_is_none(made: tuple[Cache, Database, Snapshots]) -> None:
    cache, _, _ = made
    cache.alias("a", "sha256:" + "9" * 64, "gone")
    cache.alias("b", "", "nothing at all")

    assert (cache.find("a"), cache.find("b")) == (None, "")
    assert cache.created_ns("sha256:" + "9" * 64) == 1
