from __future__ import annotations

import pytest
from tests.root.build.conftest import Workbench

from wharf.build.graph.operations import Diff, File, Remove
from wharf.build.operations import file
from wharf.build.operations.merge import diff, merge
from wharf.build.operations.results import Folder, Layers
from wharf.build.operations.store import unrecorded
from wharf.errors import InvalidArgument, NotImplementedHere


def test_later_inputs_lie_over_earlier_ones(bench: Workbench) -> None:
    one, two, three = bench.layer({"/a": b"1", "/b": b"1"}), bench.layer({"/b": b"2"}), bench.layer({"/c": b"3"})

    assert bench.tree(merge(bench.store, [one, two, three], unrecorded)) == {"/a": "1", "/b": "2", "/c": "3"}
    assert merge(bench.store, [one, Layers()], unrecorded) == one


def test_a_deletion_is_merged_too(bench: Workbench) -> None:
    base = bench.layer({"/a": b"1", "/b": b"1"})
    deleted = file.run(bench.store, File((Remove("/a"),)), [base], unrecorded)

    only = diff(bench.store, Diff(), [base, deleted], unrecorded)

    assert bench.tree(merge(bench.store, [bench.layer({"/a": b"9", "/z": b"9"}), only], unrecorded)) == {"/z": "9"}


def test_a_diff_is_the_layers_above(bench: Workbench) -> None:
    base = bench.layer({"/a": b"1"})
    upper = bench.layer({"/b": b"2"}, base)

    assert bench.tree(diff(bench.store, Diff(), [base, upper], unrecorded)) == {"/b": "2"}
    assert diff(bench.store, Diff(), [base, base], unrecorded) == Layers()
    with pytest.raises(NotImplementedHere):
        diff(bench.store, Diff(), [upper, bench.layer({"/c": b"3"})], unrecorded)


def test_a_context_is_no_layer(bench: Workbench) -> None:
    with pytest.raises(InvalidArgument):
        merge(bench.store, [Folder(bench.data.path), Layers()], unrecorded)
