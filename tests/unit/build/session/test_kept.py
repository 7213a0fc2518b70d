from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wharf.build.session.kept import KeptContexts
from wharf.storage.layout import DataRoot


@pytest.fixture
def data(tmp_path: Path) -> DataRoot:
    data = DataRoot(tmp_path)
    data.ingest.mkdir(parents=True)
    return data


def _folder(data: DataRoot, name: str) -> Path:
    folder = data.path / name
    folder.mkdir()
    (folder / "f").write_text(name)
    return folder


def test_a_context_is_taken_by_one_build_and_given_back_for_the_next(data: DataRoot) -> None:
    kept = KeptContexts(data)
    kept.give("k", _folder(data, "one"))

    kept.take("k", data.path / "mine")
    kept.take("k", data.path / "nobody's")
    kept.take("other", data.path / "nobody's")
    assert ((data.path / "mine/f").read_text(), (data.path / "nobody's").exists()) == ("one", False)


def test_the_later_of_two_stays(data: DataRoot) -> None:
    kept = KeptContexts(data)
    kept.give("k", _folder(data, "one"))
    kept.give("k", _folder(data, "two"))

    kept.take("k", data.path / "mine")
    assert (data.path / "mine/f").read_text() == "two"
    assert os.listdir(data.build_contexts) == []


def test_what_another_run_of_the_kernel_has_written_is_not_taken(data: DataRoot) -> None:
    KeptContexts(data, lambda: "one").give("k", _folder(data, "one"))

    KeptContexts(data, lambda: "two").take("k", data.path / "mine")
    assert not (data.path / "mine").exists()
    KeptContexts(data, lambda: "one").take("k", data.path / "mine")
    assert (data.path / "mine/f").read_text() == "one"


def test_old_ones_go_and_more_than_a_few_and_all_when_asked(data: DataRoot) -> None:
    kept = KeptContexts(data)
    kept.give("old", _folder(data, "old"))
    (old,) = data.build_contexts.iterdir()
    os.utime(old, (time.time() - 72 * 3600,) * 2)
    for number in range(20):
        kept.give(f"k{number}", _folder(data, f"n{number}"))

    assert (old.exists(), len(os.listdir(data.build_contexts))) == (False, 16)
    assert kept.collect(everything=True) > 16
    assert (os.listdir(data.build_contexts), os.listdir(data.ingest)) == ([], [])
