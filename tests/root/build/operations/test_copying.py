from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wharf.build.graph.operations import Copy
from wharf.build.operations.copying import copy
from wharf.build.operations.dress import Dress
from wharf.errors import InvalidArgument, NotFound
from wharf.storage.trees import FOLDER


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    source, target = tmp_path / "source", tmp_path / "target"
    for folder in (source, target):
        folder.mkdir()
    (source / "d/e").mkdir(parents=True)
    (source / "f").write_text("file")
    (source / "d/g").write_text("inner")
    (source / "d/e/h.o").write_text("object")
    os.link(source / "d/g", source / "d/hard")
    (source / "d/out").symlink_to("/etc/passwd")
    return source, target


def _copy(trees: tuple[Path, Path], source: str, destination: str, dress: Dress | None = None, **how: Any) -> None:
    fds = [os.open(tree, FOLDER) for tree in trees]
    try:
        copy(fds[0], fds[1], Copy(0, source, destination, **how), dress or Dress())
    finally:
        for fd in fds:
            os.close(fd)


def _names(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))


def test_a_file_goes_to_a_name_or_into_a_folder(trees: tuple[Path, Path]) -> None:
    _copy(trees, "/f", "/a/b")
    _copy(trees, "/f", "/a/c/")
    _copy(trees, "/f", "/a")

    assert _names(trees[1]) == ["a", "a/b", "a/c", "a/c/f", "a/f"]


def test_a_folders_content_goes_with_links_and_times(trees: tuple[Path, Path]) -> None:
    os.utime(trees[0] / "d/e", ns=(5, 5_000_000_000))

    _copy(trees, "/d", "/x", contents_only=True)

    assert _names(trees[1]) == ["x", "x/e", "x/e/h.o", "x/g", "x/hard", "x/out"]
    assert (trees[1] / "x/g").stat().st_nlink == 2
    assert (trees[1] / "x/out").readlink() == Path("/etc/passwd")
    assert (trees[1] / "x/e").stat().st_mtime_ns == 5_000_000_000


def test_owner_mode_and_time_can_be_said(trees: tuple[Path, Path]) -> None:
    _copy(trees, "/d", "/x", Dress(5, 6, "u=rwX,go=", 9_000_000_000), contents_only=True)

    # A symbolic mode changes what a source has, and the folder that is made for the contents has none.
    for name, mode in (("x", 0o40755), ("x/g", 0o100600), ("x/e", 0o40700)):
        status = (trees[1] / name).stat()
        assert (status.st_uid, status.st_gid, oct(status.st_mode)) == (5, 6, oct(mode))
        assert status.st_mtime_ns == 9_000_000_000


def test_patterns_choose_and_leave_out(trees: tuple[Path, Path]) -> None:
    _copy(trees, "/d/*", "/all/", wildcards=True, exclude=("**/*.o", "hard"))
    _copy(trees, "/", "/kept", include=("d/e/*.o",), contents_only=True)

    assert _names(trees[1]) == ["all", "all/e", "all/g", "all/out", "kept", "kept/d", "kept/d/e", "kept/d/e/h.o"]


def test_links_of_the_target_lead_inside_of_it(trees: tuple[Path, Path]) -> None:
    (trees[1] / "real").mkdir()
    (trees[1] / "link").symlink_to("/real")
    (trees[1] / "up").symlink_to("../../../../tmp")

    _copy(trees, "/f", "/link/x")
    _copy(trees, "/f", "/up/y")

    assert _names(trees[1]) == ["link", "real", "real/x", "tmp", "tmp/y", "up"]


def test_links_of_the_source_lead_inside_of_it(trees: tuple[Path, Path]) -> None:
    (trees[0] / "etc").mkdir()
    (trees[0] / "etc/passwd").write_text("its own")

    _copy(trees, "/d/out", "/x", follow_links=True)

    assert (trees[1] / "x").read_text() == "its own"


def test_a_file_is_replaced_and_its_other_names_stay(trees: tuple[Path, Path]) -> None:
    (trees[1] / "x").write_text("old")
    os.link(trees[1] / "x", trees[1] / "other")

    _copy(trees, "/f", "/x")

    assert ((trees[1] / "x").read_text(), (trees[1] / "other").read_text()) == ("file", "old")


def test_folders_and_files_do_not_replace_each_other(trees: tuple[Path, Path]) -> None:
    (trees[1] / "e").write_text("")
    with pytest.raises(InvalidArgument, match="cannot copy"):
        _copy(trees, "/d", "/", contents_only=True)
    with pytest.raises(InvalidArgument, match="cannot copy to non-directory"):
        _copy(trees, "/f", "/e/x")


def test_nothing_is_not_found_unless_it_may_be_empty(trees: tuple[Path, Path]) -> None:
    with pytest.raises(NotFound, match='"/none": not found'):
        _copy(trees, "/none", "/x")
    with pytest.raises(NotFound):
        _copy(trees, "/n*", "/x", wildcards=True)
    _copy(trees, "/n*", "/x", wildcards=True, allow_empty=True)

    assert _names(trees[1]) == []


def test_a_single_file_gets_no_name_that_marks_a_deletion(trees: tuple[Path, Path]) -> None:
    with pytest.raises(InvalidArgument, match=r'"/\.wh\.f": no image can have it'):
        _copy(trees, "/f", "/.wh.f")
    assert _names(trees[1]) == []


def test_a_folder_made_for_contents_is_roots_whatever_the_source_is(trees: tuple[Path, Path]) -> None:
    (trees[0] / "d").chmod(0o700)
    (trees[0] / "d/e").chmod(0o700)
    for name in ("d", "d/e"):
        os.chown(trees[0] / name, 4, 5)

    _copy(trees, "/d", "/x", contents_only=True)
    _copy(trees, "/d", "/whole")

    found = {name: (trees[1] / name).stat() for name in ("x", "x/e", "whole")}
    assert {name: (one.st_uid, one.st_gid, oct(one.st_mode)) for name, one in found.items()} == {
        "x": (0, 0, "0o40755"),
        "x/e": (4, 5, "0o40700"),
        "whole": (4, 5, "0o40700"),
    }


def test_a_destination_that_is_a_link_is_where_it_leads_even_to_nothing(trees: tuple[Path, Path]) -> None:
    (trees[1] / "there").mkdir()
    (trees[1] / "old").write_text("old")
    links = {"dangling": "../new", "chain": "dangling", "known": "old", "far": "/there/deep/file", "folder": "/made"}
    for name, to in links.items():
        (trees[1] / name).symlink_to(to)

    for name in ("chain", "known", "far"):
        _copy(trees, "/f", f"/{name}")
    _copy(trees, "/d", "/folder", contents_only=True)

    assert all((trees[1] / name).is_symlink() for name in links)
    texts = {name: (trees[1] / name).read_text() for name in ("new", "old", "there/deep/file", "made/g")}
    assert texts == {"new": "file", "old": "file", "there/deep/file": "file", "made/g": "inner"}


def test_a_destination_that_leads_in_a_circle_is_refused(trees: tuple[Path, Path]) -> None:
    (trees[1] / "a").symlink_to("b")
    (trees[1] / "b").symlink_to("a")

    with pytest.raises(InvalidArgument, match="too many symbolic links"):
        _copy(trees, "/f", "/a")
