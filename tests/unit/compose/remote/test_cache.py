from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.compose.remote.cache import cache_folder, kept
from wharf.errors import WharfError


def test_cache_is_where_the_user_has_others() -> None:
    assert cache_folder({"HOME": "/home/me"}) == "/home/me/.cache/wharf/compose"
    assert cache_folder({"HOME": "/home/me", "XDG_CACHE_HOME": "/c"}) == "/c/wharf/compose"


def test_folder_is_filled_once(tmp_path: Path) -> None:
    filled: list[str] = []

    def fill(folder: str) -> None:
        filled.append(folder)
        Path(folder, "a").write_text("x")

    cache = str(tmp_path / "cache")
    assert kept(cache, "one", fill) == kept(cache, "one", fill) == f"{cache}/one"
    assert (len(filled), os.listdir(cache), Path(cache, "one/a").read_text()) == (1, ["one"], "x")


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: str) -> None:
        Path(folder, "half").write_text("x")
        raise WharfError("no network")

    with pytest.raises(WharfError, match="no network"):
        kept(str(tmp_path), "one", fail)
    assert os.listdir(tmp_path) == []


def test_what_a_kill_left_goes_with_the_next_that_is_filled(tmp_path: Path) -> None:
    (tmp_path / ".new-0123456789abcdef").mkdir()
    (tmp_path / ".new-0123456789abcdef/half").write_text("x")
    (tmp_path / "old").mkdir()
    kept(str(tmp_path), "old", lambda _: None)
    assert len(os.listdir(tmp_path)) == 2

    kept(str(tmp_path), "one", lambda _: None)
    assert sorted(os.listdir(tmp_path)) == ["old", "one"]


def test_another_process_may_be_first(tmp_path: Path) -> None:
    def fill(_: str) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "one/theirs").write_text("x")

    assert kept(str(tmp_path), "one", fill) == str(tmp_path / "one")
    assert os.listdir(tmp_path) == ["one"]


def test_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(WharfError, match="cannot keep one in .*file/cache: not a directory"):  # noqa: RUF043
        kept(str(tmp_path / "file/cache"), "one", lambda _: None)
