"""Drafts on every storage driver are in the contract; here is what only their own class shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.storage import overlay_marks as marks
from wharf.storage.drafts import LayerDraft, translate
from wharf.storage.roots.native import NativeRoots
from wharf.storage.trees import FOLDER

pytestmark = pytest.mark.root


def _no_scratch() -> Path:
    raise AssertionError("nothing is compared")


def test_a_root_is_made_once_and_only_when_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/f").write_text("1")
    draft = LayerDraft(NativeRoots(), tmp_path, [tmp_path / "image"], _no_scratch)
    assert not (tmp_path / "upper").exists()

    with draft.open():
        (tmp_path / "upper/f").write_text("2")
    with draft.open():
        assert (tmp_path / "upper/f").read_text() == "2"


def test_deletions_are_written_as_overlay_reads_them(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in (".wh.gone", ".wh.there", "there", "d/.wh..wh..opq", "d/.wh..wh.aufs", "d/kept"):
        (tmp_path / name).write_text(name)

    translate(tmp_path)

    folder = os.open(tmp_path / "d", FOLDER)
    try:
        assert marks.is_opaque(folder)
    finally:
        os.close(folder)
    assert os.listdir(tmp_path / "d") == ["kept"]
    assert sorted(os.listdir(tmp_path)) == ["d", "gone", "there"]
    assert marks.is_whiteout((tmp_path / "gone").lstat())
    assert (tmp_path / "there").read_text() == "there"
