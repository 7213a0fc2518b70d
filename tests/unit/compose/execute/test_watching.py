from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.compose.execute.watching import Tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src/deep").mkdir(parents=True)
    (tmp_path / "one").write_text("")
    (tmp_path / "two").write_text("")
    return tmp_path


@pytest.fixture
def batches(folder: Path) -> Iterator[Iterator[set[str]]]:
    tree = Tree({f"{folder}/src": True, f"{folder}/one": False})
    yield tree.batches()
    tree.close()


def test_changes_are_told_together_when_there_is_quiet(folder: Path, batches: Iterator[set[str]]) -> None:
    (folder / "src/a").write_text("1")
    (folder / "src/deep/b").write_text("2")
    assert next(batches) == {f"{folder}/src/a", f"{folder}/src/deep/b"}

    os.unlink(folder / "src/a")
    os.rename(folder / "src/deep/b", folder / "src/c")
    assert next(batches) == {f"{folder}/src/a", f"{folder}/src/deep/b", f"{folder}/src/c"}


def test_folders_that_come_are_followed_with_what_is_in_them(folder: Path, batches: Iterator[set[str]]) -> None:
    (folder / "new/below").mkdir(parents=True)
    (folder / "new/below/x").write_text("")
    os.rename(folder / "new", folder / "src/new")
    assert f"{folder}/src/new/below/x" in next(batches)

    (folder / "src/new/below/y").write_text("")
    assert next(batches) == {f"{folder}/src/new/below/y"}


def test_file_alone_is_followed_through_its_folder(folder: Path, batches: Iterator[set[str]]) -> None:
    (folder / "one").write_text("changed")

    assert f"{folder}/one" in next(batches)


def test_all_counts_as_changed_where_the_kernel_has_lost_count(folder: Path, batches: Iterator[set[str]]) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    (folder / "src/deep/x").write_text("")
    (folder / "src/gone/below").mkdir(parents=True)
    (folder / "src/gone/below/file").write_text("")
    assert next(batches) >= {f"{folder}/src/gone/below/file"}
    for _ in range(limit // 4 + 1):  # two events each way
        os.rename(folder / "src/deep/x", folder / "src/deep/y")
        os.rename(folder / "src/deep/y", folder / "src/deep/x")
    (folder / "src/late/new").mkdir(parents=True)
    (folder / "src/late/new/file").write_text("nobody told")
    shutil.rmtree(folder / "src/gone")
    gone = {f"{folder}/src/gone", f"{folder}/src/gone/below", f"{folder}/src/gone/below/file"}
    assert next(batches) >= {f"{folder}/one", f"{folder}/src/late/new/file", *gone}

    (folder / "src/late/new/next").write_text("")
    assert next(batches) == {f"{folder}/src/late/new/next"}


def test_batches_end_when_it_is_enough(folder: Path) -> None:
    tree = Tree({f"{folder}/src": True})
    (folder / "src/a").write_text("1")
    tree.stop()

    assert list(tree.batches()) == []
    tree.close()
