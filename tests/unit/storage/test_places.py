from __future__ import annotations

from pathlib import Path

import pytest

from wharf.storage.places import Places, spread


class Disk:
    """Puts a folder in the group that its name begins with; time goes by when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def group_of(self, folder: Path) -> int:
        folder.stat()
        return int(folder.name[0])


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def places(tmp_path: Path, disk: Disk) -> Places:
    return Places(tmp_path, lambda: disk.now, disk.group_of)


def remove(places: Places, folder: Path) -> None:
    places.leave(folder)
    folder.rmdir()


def test_a_folder_begins_where_nothing_was_removed_of_late(places: Places, tmp_path: Path) -> None:
    remove(places, places.make(iter(["1a"]).__next__))

    assert places.make(iter(["1b", "1c", "2a"]).__next__).name == "2a"
    assert [folder.name for folder in tmp_path.iterdir()] == ["2a"]


def test_after_some_minutes_a_place_is_as_good_as_any(places: Places, disk: Disk) -> None:
    remove(places, places.make(iter(["1a"]).__next__))
    disk.now += 400

    assert places.make(iter(["1b"]).__next__).name == "1b"


def test_where_every_place_is_bad_one_is_taken_all_the_same(places: Places, tmp_path: Path) -> None:
    remove(places, places.make(iter(["1a"]).__next__))

    assert places.make(iter(["1b", "1c", "1d", "1e", "1f", "1g", "1h", "1i"]).__next__).name == "1i"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_has_gone_is_no_matter(places: Places, tmp_path: Path) -> None:
    places.leave(tmp_path / "1a")


def test_a_name_that_is_taken_is_told(places: Places, tmp_path: Path) -> None:
    (tmp_path / "1a").mkdir()

    with pytest.raises(FileExistsError):
        places.make(iter(["1a"]).__next__)


def test_a_folder_may_be_spread_again_on_any_file_system(tmp_path: Path) -> None:
    spread(tmp_path)
    spread(tmp_path)
