from __future__ import annotations

from pathlib import Path

import pytest

from wharf.kernel.rename import exchange

pytestmark = pytest.mark.root


def test_two_folders_change_places(tmp_path: Path) -> None:
    (tmp_path / "a/of a").mkdir(parents=True)
    (tmp_path / "b/of b").mkdir(parents=True)
    exchange(tmp_path / "a", tmp_path / "b")

    assert [path.name for path in (*(tmp_path / "a").iterdir(), *(tmp_path / "b").iterdir())] == ["of b", "of a"]


def test_a_missing_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "b")
