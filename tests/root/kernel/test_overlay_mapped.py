"""Overlays of id-mapped layers: made at once where the kernel can, and by a process aside where it cannot."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.root.mounts import unchanged

from wharf.kernel import overlay_mapped
from wharf.kernel.overlay_mapped import Layers, Owner
from wharf.runtime import userns

pytestmark = [pytest.mark.root, pytest.mark.parametrize("make", [overlay_mapped.detached, overlay_mapped.aside])]

Make = Callable[[Layers, Owner], int]
ROOT = 100_000


@pytest.fixture
def owner() -> Iterator[Owner]:
    fd = userns.make(f"0 {ROOT} 65536\n", f"0 {ROOT} 65536\n")
    yield Owner(fd, ROOT, ROOT)
    os.close(fd)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    for name in ("lower", "upper", "work", "below"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower/file").write_text("x")
    with unchanged():
        yield tmp_path
    assert threading.active_count() == 1, "these are for processes without threads"


def test_layers_have_the_machines_ids_of_the_namespace_and_keep_their_own(
    make: Make, owner: Owner, folder: Path
) -> None:
    lower = [str(folder / "lower"), str(folder / "below")]
    fd = make(Layers(lower, str(folder / "upper"), str(folder / "work"), {}, 0), owner)
    try:
        assert os.stat("file", dir_fd=fd).st_uid == ROOT
        os.chown("file", ROOT + 7, ROOT + 8, dir_fd=fd)
    finally:
        os.close(fd)
    copied = (folder / "upper/file").stat()
    assert (copied.st_uid, copied.st_gid) == (7, 8)
    assert (folder / "lower/file").stat().st_uid == 0


def test_without_a_folder_for_changes_it_is_read_only(make: Make, owner: Owner, folder: Path) -> None:
    fd = make(Layers([str(folder / "lower"), str(folder / "below")], "", "", {}, 0), owner)
    try:
        assert os.fstatvfs(fd).f_flag & os.ST_RDONLY
    finally:
        os.close(fd)


def test_a_file_system_without_id_mapped_mounts_is_refused_and_nothing_is_left(
    make: Make, owner: Owner, folder: Path
) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="Invalid argument"):
        make(Layers(["/proc"], str(folder / "upper"), str(folder / "work"), {}, 0), owner)
    assert os.listdir("/proc/self/fd") == before
