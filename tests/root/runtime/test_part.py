from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.kernel import overlay
from wharf.runtime import part


@pytest.fixture
def layers(tmp_path: Path) -> list[str]:
    for layer, file in (("upper", "new"), ("lower", "old")):
        (tmp_path / layer / "d").mkdir(parents=True)
        (tmp_path / layer / "d" / file).write_text(layer)
    (tmp_path / "upper/out").symlink_to("/")
    return [str(tmp_path / "upper"), str(tmp_path / "lower")]


def _take(layers: list[str], name: str, place: Path) -> int:
    place.mkdir()
    target = os.open(place, os.O_PATH | os.O_DIRECTORY)
    try:
        return part.take(overlay.detached(layers), name, target)
    finally:
        os.close(target)


def test_a_folder_of_all_layers_is_taken_and_nothing_stays_where_it_was_looked_for(
    layers: list[str], tmp_path: Path
) -> None:
    before = os.getcwd()
    taken = _take(layers, "d", tmp_path / "place")
    try:
        assert sorted(os.listdir(f"/proc/self/fd/{taken}")) == ["new", "old"]
        assert os.listdir(tmp_path / "place") == []
        assert os.getcwd() == before
    finally:
        os.close(taken)


@pytest.mark.parametrize(
    ("name", "said"),
    [("none", "no such file"), ("d/new", "not a directory"), ("out", "escapes the base directory, subpath: out")],
)
def test_what_is_no_folder_is_refused_and_unmounted(layers: list[str], tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(OSError, match=said):
        _take(layers, name, tmp_path / "place")

    assert os.listdir(tmp_path / "place") == []
