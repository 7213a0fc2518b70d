from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from wharf.storage.open_folders import OpenFolders

pytestmark = pytest.mark.root


@pytest.fixture
def folders(layer: int) -> Iterator[OpenFolders]:
    folders = OpenFolders(layer, most=2)
    yield folders
    folders.close()


def opened_below(folder: Path) -> list[str]:
    """Return the names in a folder that this process has open."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # of the listing itself
            found.append(Path(os.readlink(f"/proc/self/fd/{fd}")))
    return sorted(path.name for path in found if path.parent == folder)


def test_what_is_missing_of_a_path_is_made(folders: OpenFolders, tmp_path: Path) -> None:
    fd = folders.folder(b"a/b/c")

    assert os.path.samestat(os.fstat(fd), (tmp_path / "layer/a/b/c").stat())


def test_a_folder_is_opened_once_while_it_is_kept(folders: OpenFolders) -> None:
    first = folders.folder(b"a")

    assert folders.folder(b"a") == first


def test_no_more_are_open_than_allowed_and_the_one_asked_for_last_goes_last(
    folders: OpenFolders, tmp_path: Path
) -> None:
    kept = folders.folder(b"a")
    folders.folder(b"b")
    assert folders.folder(b"a") == kept
    folders.folder(b"c")

    assert opened_below(tmp_path / "layer") == ["a", "c"]


def test_a_symlink_leads_nowhere_outside(folders: OpenFolders, tmp_path: Path) -> None:
    (tmp_path / "layer/out").symlink_to("/")

    assert os.listdir(folders.folder(b"out")) == ["out"]


def test_after_a_close_paths_are_resolved_anew(folders: OpenFolders, tmp_path: Path) -> None:
    before = os.fstat(folders.folder(b"a"))
    folders.close()
    (tmp_path / "layer/a").rename(tmp_path / "layer/old")

    assert not os.path.samestat(os.fstat(folders.folder(b"a")), before)


def test_a_symlink_to_what_is_missing_makes_that_inside(folders: OpenFolders, tmp_path: Path) -> None:
    (tmp_path / "layer/link").symlink_to("/far/away")
    folders.folder(b"link/below")

    assert (tmp_path / "layer/far/away/below").is_dir()


def test_a_file_on_the_way_is_told(folders: OpenFolders, tmp_path: Path) -> None:
    (tmp_path / "layer/file").touch()

    with pytest.raises(NotADirectoryError):
        folders.folder(b"file/below")
