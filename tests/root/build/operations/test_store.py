from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from tests.root.build.conftest import Workbench

from wharf.build.operations.results import Layers
from wharf.build.operations.store import unrecorded
from wharf.errors import InvalidArgument


def test_the_same_content_is_the_same_layer(bench: Workbench) -> None:
    first, second = bench.layer({"/a": b"1"}), bench.layer({"/b": b"1"})
    with bench.store.draft(first) as draft:
        with bench.store.change(draft) as fd:
            Path(f"/proc/self/fd/{fd}/c").write_text("2")
        kept = bench.store.keep(draft, unrecorded)

    assert first.chain_id != second.chain_id
    assert bench.tree(kept) == {"/a": "1", "/c": "2"}


def test_what_is_not_kept_goes(bench: Workbench) -> None:
    with bench.store.draft(Layers()) as draft, bench.store.change(draft) as fd:
        os.mkdir("x", dir_fd=fd)

    assert bench.snapshots.sizes() == {}


def test_a_change_goes_to_the_draft_alone(bench: Workbench) -> None:
    base = bench.layer({"/a": b"1"})
    with bench.store.draft(base) as draft, bench.store.change(draft) as fd:
        Path(f"/proc/self/fd/{fd}/a").write_text("2")
        assert Path(f"/proc/self/fd/{fd}/a").read_text() == "2"

    assert bench.tree(base) == {"/a": "1"}


def test_who_refers_to_a_layer_is_recorded_with_it(bench: Workbench) -> None:
    seen: list[str] = []

    def record(db: sqlite3.Connection, chain_id: str) -> None:
        assert db.in_transaction
        seen.append(chain_id)

    with bench.store.draft(Layers()) as draft:
        kept = bench.store.keep(draft, record)

    assert seen == [kept.chain_id]
    assert bench.store.remember(kept, record) == kept
    assert seen == [kept.chain_id] * 2


def test_layers_are_put_on_others_and_told_apart(bench: Workbench) -> None:
    base, upper = bench.layer({"/a": b"1"}), bench.layer({"/d/b": b"2"})

    both = bench.store.stack(base, upper, unrecorded)

    assert bench.tree(both) == {"/a": "1", "/d": "/", "/d/b": "2"}
    assert bench.store.above(base, both) == [both.chain_id]
    assert bench.store.above(upper, both) is None
    assert len(bench.store.folders(both)) == 2


def test_what_is_unfinished_can_be_looked_into_and_changed_further(bench: Workbench) -> None:
    base = bench.layer({"/a": b"1", "/b": b"1"})
    with bench.store.draft(base) as draft:
        with bench.store.change(draft) as fd:
            os.unlink("a", dir_fd=fd)
            Path(f"/proc/self/fd/{fd}/c").write_text("2")
        with bench.store.left(draft) as left:
            with bench.store.open(left) as root:
                assert root is not None
                assert sorted(os.listdir(root)) == ["b", "c"]
            with bench.store.draft(left) as further, bench.store.change(further) as fd:
                Path(f"/proc/self/fd/{fd}/d").write_text("3")
                assert sorted(os.listdir(fd)) == ["b", "c", "d"]
            assert sorted(path.name for path in left.upper.iterdir()) == ["a", "c"]

    assert bench.leftovers() == []


def test_a_layer_with_a_name_that_marks_a_deletion_is_not_kept(bench: Workbench) -> None:
    with bench.store.draft(Layers()) as draft:
        with bench.store.change(draft) as fd:
            Path(f"/proc/self/fd/{fd}/.wh.x").write_text("1")
        with pytest.raises(InvalidArgument, match=r'"\.wh\.x": no image can have it'):
            bench.store.keep(draft, unrecorded)

    assert bench.snapshots.sizes() == {}
