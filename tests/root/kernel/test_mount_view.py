from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.root.mounts import changed, mounts

from wharf.kernel.mount_view import Bind, Layers, open_view

pytestmark = pytest.mark.root


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    for name in ("lower", "upper", "work", "place"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower/base").write_text("base")
    return Layers([str(tmp_path / "lower")], str(tmp_path / "upper"), str(tmp_path / "work"))


def test_what_is_written_goes_to_the_upper_folder_and_no_mount_shows(layers: Layers, tmp_path: Path) -> None:
    before = mounts()

    with open_view(str(tmp_path / "place"), layers) as view:
        os.close(os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=view.root))
        names = sorted(os.listdir(os.open(".", os.O_RDONLY, dir_fd=view.root)))
        assert changed(before) == []

    assert (names, (tmp_path / "upper/new").exists(), changed(before)) == (["base", "new"], True, [])


def test_a_view_to_read_leaves_the_layers_as_they_are(layers: Layers, tmp_path: Path) -> None:
    with open_view(str(tmp_path / "place"), Layers(layers.lower)) as view:
        os.mkdir("scratch", dir_fd=view.root)

    assert os.listdir(tmp_path / "lower") == ["base"]


def test_folders_and_files_of_the_host_lie_on_it(layers: Layers, tmp_path: Path) -> None:
    (tmp_path / "vol").mkdir()
    (tmp_path / "vol/in").write_text("volume")
    (tmp_path / "one").write_text("one")
    binds = [Bind(str(tmp_path / "vol"), "/mnt/vol", read_only=True), Bind(str(tmp_path / "one"), "/etc/one")]

    with open_view(str(tmp_path / "place"), layers, binds) as view:
        inside = os.open("mnt/vol/in", os.O_RDONLY, dir_fd=view.root)
        assert os.read(inside, 100) == b"volume"
        os.close(inside)
        with pytest.raises(OSError, match="Read-only"):
            os.open("mnt/vol/new", os.O_CREAT | os.O_WRONLY, dir_fd=view.root)
        os.close(os.open("etc/one", os.O_RDONLY, dir_fd=view.root))


def test_nothing_of_the_host_is_above_its_root(layers: Layers, tmp_path: Path) -> None:
    with open_view(str(tmp_path / "place"), layers) as view:
        above = os.open("../../../..", os.O_RDONLY, dir_fd=view.root)
        try:
            assert os.listdir(above) == ["base"]
        finally:
            os.close(above)
