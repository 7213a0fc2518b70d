from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.root.build.conftest import Workbench

from wharf.build.graph.operations import Copy, File, MakeFolder, Owner
from wharf.build.operations import file
from wharf.build.operations.results import Folder, Layers
from wharf.build.operations.selection import Digests, digest_of
from wharf.build.operations.store import unrecorded
from wharf.errors import InvalidArgument
from wharf.storage.trees import FOLDER

LARGE = b"x" * 20_000
CONTENTS = Copy(1, "/", "/app", contents_only=True)


@pytest.fixture
def context(bench: Workbench) -> Path:
    folder = bench.data.path / "context"
    (folder / "d/e").mkdir(parents=True)
    (folder / "large").write_bytes(LARGE)
    (folder / "d/large").write_bytes(LARGE)
    (folder / "d/e/small").write_bytes(b"small")
    (folder / "d/link").symlink_to("../large")
    os.link(folder / "d/large", folder / "d/same")
    for path in folder.rglob("*"):
        os.utime(path, ns=(10**18, 10**18), follow_symlinks=False)
    return folder


def copied(
    bench: Workbench, context: Path, action: Copy = CONTENTS, base: Layers | None = None, filled: str = ""
) -> Path:
    """Copy from a context; return the new layer's folder, having looked that it is what plain copying makes.

    ``filled`` is a folder that was there, and has the time when something came into it.
    """
    inputs = [base or Layers(), Folder(context)]
    operation = File((action,), base=0)
    shared = file.run(bench.store, operation, inputs, unrecorded, Digests())
    plain = file.run(bench.store, operation, inputs, unrecorded)
    assert seen(bench, shared, but_for_time=filled) == seen(bench, plain, but_for_time=filled)
    assert bench.leftovers() == []
    return bench.store.folders(shared)[0]


def seen(bench: Workbench, result: Layers, *, but_for_time: str = "") -> dict[str, Any]:
    with bench.store.open(result) as fd:
        top = Path(f"/proc/self/fd/{fd}")
        found = {str(path.relative_to(top)): _facts(path) for path in sorted(top.rglob("*"))}
    if but_for_time:
        mode, uid, gid, _, content = found[but_for_time]
        found[but_for_time] = mode, uid, gid, content
    return found


def _facts(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    content = os.readlink(path) if path.is_symlink() else (b"" if path.is_dir() else path.read_bytes())
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content


def shares(context: Path, layer: Path, name: str) -> bool:
    return (context / name).samefile(layer / "app" / name)


def test_large_files_are_shared_with_the_context_and_small_ones_are_not(bench: Workbench, context: Path) -> None:
    layer = copied(bench, context, base=bench.layer({"/etc/x": b"1"}))

    found = {name: shares(context, layer, name) for name in ("large", "d/large", "d/same", "d/e/small")}
    assert found == {"large": True, "d/large": True, "d/same": True, "d/e/small": False}


def test_an_empty_folder_that_is_there_is_filled_too_wherever_links_lead(bench: Workbench, context: Path) -> None:
    base = bench.layer({"/real/x": b"1"})
    base = file.run(bench.store, File((MakeFolder("/real/app", 0o750),), base=0), [base], unrecorded)

    action = Copy(1, "/d", "/real/../real/app/", contents_only=True)
    layer = copied(bench, context, action, base, filled="real/app")
    assert (context / "d/large").samefile(layer / "real/app/large")
    assert oct((layer / "real/app").stat().st_mode) == "0o40750"


def test_a_folder_that_has_something_keeps_it(bench: Workbench, context: Path) -> None:
    base = bench.layer({"/app/old": b"1", "/app/large": b"2"})

    layer = copied(bench, context, base=base)
    assert sorted(path.name for path in (layer / "app").iterdir()) == ["d", "large"]
    assert not shares(context, layer, "large")


@pytest.mark.parametrize(
    "other",
    [
        Copy(1, "/", "/app", contents_only=True, owner=Owner(5)),
        Copy(1, "/", "/app", contents_only=True, mode="0700"),
        Copy(1, "/", "/app", contents_only=True, created_ns=7),
    ],
)
def test_what_is_to_look_otherwise_is_copied(bench: Workbench, context: Path, other: Copy) -> None:
    before = _facts(context / "large")

    layer = copied(bench, context, other)
    assert not shares(context, layer, "large")
    assert _facts(context / "large") == before


@pytest.mark.parametrize("digests", [Digests(), None])
@pytest.mark.parametrize("name", [".wh.x", "d/.wh..wh..opq", "d/.wh.folder/x", "d/device"])
def test_what_a_layer_would_have_as_a_mark_is_refused_however_it_is_copied(
    bench: Workbench, context: Path, name: str, digests: Digests | None
) -> None:
    (context / name).parent.mkdir(exist_ok=True)
    if name.endswith("device"):
        os.mknod(context / name, stat.S_IFCHR, 0)
    else:
        (context / name).write_bytes(LARGE)

    with pytest.raises(InvalidArgument, match=re.escape(f'"{name.removesuffix("/x")}": no image can have it')):
        file.run(bench.store, File((CONTENTS,), base=0), [Layers(), Folder(context)], unrecorded, digests)
    assert bench.leftovers() == []


def test_the_digest_of_a_file_that_is_shared_is_still_known(bench: Workbench, context: Path) -> None:
    digests = Digests()
    fd = os.open(context, FOLDER)
    try:
        before = digest_of(fd, CONTENTS, digests)
        file.run(bench.store, File((CONTENTS,), base=0), [Layers(), Folder(context)], unrecorded, digests)
        assert digests.known((context / "large").stat()) is not None
        assert digest_of(fd, CONTENTS, digests) == before
    finally:
        os.close(fd)
