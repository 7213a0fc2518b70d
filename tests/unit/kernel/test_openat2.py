from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.kernel.openat2 import ensure_file, ensure_folder, ensure_like, is_there, open_in_root, open_plain_folder


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "root").mkdir()
    fd = os.open(tmp_path / "root", os.O_PATH | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_a_symlink_out_of_the_root_stays_in_it(root: int, tmp_path: Path) -> None:
    (tmp_path / "root" / "out").symlink_to("/outside")
    (tmp_path / "root" / "up").symlink_to("../../../outside")

    os.close(ensure_folder(root, "/out/made"))
    os.close(ensure_folder(root, "up/too"))

    assert sorted(os.listdir(tmp_path / "root" / "outside")) == ["made", "too"]
    assert os.listdir(tmp_path) == ["root"]


def test_a_file_where_a_folder_is_wanted_is_an_error(root: int, tmp_path: Path) -> None:
    (tmp_path / "root" / "f").write_text("")

    with pytest.raises(NotADirectoryError):
        ensure_folder(root, "/f")


def test_a_loop_of_symlinks_ends(root: int, tmp_path: Path) -> None:
    (tmp_path / "root" / "a").symlink_to("b")
    (tmp_path / "root" / "b").symlink_to("a")

    with pytest.raises(OSError, match="symbolic links") as caught:
        ensure_file(root, "/a")
    assert caught.value.errno == errno.ELOOP


def test_magic_links_are_refused(root: int) -> None:
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    with pytest.raises(OSError, match="symbolic links"):
        open_in_root(proc, f"self/fd/{root}")
    os.close(proc)


def test_a_missing_file_is_made_with_its_folders(root: int, tmp_path: Path) -> None:
    os.close(ensure_file(root, "/etc/deep/hosts"))

    assert (tmp_path / "root/etc/deep/hosts").is_file()


def test_a_plain_folder_is_made_but_not_reached_through_a_symlink(root: int, tmp_path: Path) -> None:
    os.close(open_plain_folder(root, "/made/inside"))
    assert (tmp_path / "root/made/inside").is_dir()

    (tmp_path / "root/link").symlink_to("/made")
    for path in ("/link", "/link/inside"):
        with pytest.raises(OSError, match="symbolic links") as caught:
            open_plain_folder(root, path)
        assert caught.value.errno == errno.ELOOP


def test_what_is_there_is_told_from_what_is_not_and_from_a_symlink_to_nowhere(root: int, tmp_path: Path) -> None:
    (tmp_path / "root/file").touch()
    (tmp_path / "root/lost").symlink_to("nowhere")

    seen = [is_there(root, path) for path in ("/file", "/", "/lost", "/missing/below")]

    assert seen == [True, True, False, False]


def test_what_is_wanted_as_a_file_or_a_folder_is_made_and_nothing_of_the_other_kind_taken_for_it(
    root: int, tmp_path: Path
) -> None:
    for folder in (True, False):
        os.close(ensure_like(root, f"/made-{folder}", folder=folder))
        with pytest.raises(NotADirectoryError):
            ensure_like(root, f"/made-{folder}", folder=not folder)

    assert ((tmp_path / "root/made-True").is_dir(), (tmp_path / "root/made-False").is_file()) == (True, True)
