from __future__ import annotations

from typing import Any

import pytest
from tests.root.build.conftest import Workbench

from wharf.build.graph.operations import Copy, File, MakeFile, MakeFolder, MakeLink, Owner, Remove
from wharf.build.operations import file
from wharf.build.operations.results import Layers
from wharf.build.operations.store import unrecorded
from wharf.errors import InvalidArgument, NotFound


def _run(bench: Workbench, base: Layers, *actions: Any, inputs: tuple[Layers, ...] = ()) -> Layers:
    return file.run(bench.store, File(actions), [base, *inputs], unrecorded)


def test_actions_are_done_one_after_the_other(bench: Workbench) -> None:
    base = bench.layer({"/old": b"1", "/etc/passwd": b"me:x:5:6::/:/bin/sh\n"})
    other = bench.layer({"/x/y": b"2"})

    made = _run(
        bench,
        base,
        MakeFolder("/a/b", 0o750, parents=True, owner=Owner("me"), created_ns=7_000_000_000),
        MakeFile("/a/b/c", b"3", 0o600),
        MakeLink("/link", "a/b"),
        Copy(1, "/x", "/link/copied", contents_only=True),
        Remove("/old"),
        inputs=(other,),
    )

    found = bench.tree(made)
    assert found["/a/b/c"] == "3"
    assert found["/link"] == "-> a/b"
    assert found["/a/b/copied/y"] == "2"
    assert "/old" not in found
    status = (bench.store.folders(made)[0] / "a").stat()
    assert (oct(status.st_mode), status.st_uid, status.st_gid) == ("0o40750", 5, 6)


def test_a_folder_that_exists_is_left_as_it_is(bench: Workbench) -> None:
    base = bench.layer({"/d/x": b""})

    made = _run(bench, base, MakeFolder("/d", 0o700, parents=True))

    assert list(bench.store.folders(made)[0].iterdir()) == []


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (Remove("/none"), NotFound),
        (Copy(0, "/none", "/x"), NotFound),
        (MakeFolder("/f/x", parents=True), InvalidArgument),
        (MakeFolder("/n/m"), InvalidArgument),
        (Copy(0, "/f", "/y", owner=Owner("nobody-here")), InvalidArgument),
    ],
)
def test_what_cannot_be_done_is_refused(bench: Workbench, action: Any, kind: type[Exception]) -> None:
    base = bench.layer({"/f": b""})

    with pytest.raises(kind):
        _run(bench, base, action)


def test_folders_and_patterns_are_removed(bench: Workbench) -> None:
    base = bench.layer({"/d/e/f": b"", "/a1": b"", "/a2": b"", "/b": b""})

    made = _run(bench, base, Remove("/d"), Remove("/a*", wildcards=True), Remove("/none", allow_missing=True))

    assert bench.tree(made) == {"/b": ""}
