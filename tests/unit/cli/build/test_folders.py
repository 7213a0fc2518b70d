from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.cli.build.folders import Selection, followed, stat_of


@pytest.fixture
def tree(tmp_path: Path) -> str:
    for path in ("a/b/f", "a/g", "a.txt", "z/deep/h"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "link").symlink_to("z/deep")
    return str(tmp_path)


def _paths(folder: str, **selection: list[str]) -> list[str]:
    return [path for path, _ in Selection(**selection).walk(folder)]


def test_all_is_walked_folders_first_and_names_in_order(tree: str) -> None:
    found = _paths(tree)

    assert found == ["a", "a/b", "a/b/f", "a/g", "a.txt", "link", "z", "z/deep", "z/deep/h"]
    assert [path.split("/") for path in found] == sorted(path.split("/") for path in found)


def test_what_is_ignored_is_not_sent_but_for_exceptions(tree: str) -> None:
    assert _paths(tree, exclude=["a", "z", "!z/deep/h"]) == ["a.txt", "link", "z", "z/deep", "z/deep/h"]
    assert _paths(tree, exclude=["**/f"]) == ["a", "a/b", "a/g", "a.txt", "link", "z", "z/deep", "z/deep/h"]


def test_only_what_is_asked_for_comes_with_the_folders_above_it(tree: str) -> None:
    assert _paths(tree, include=["a/b/f", "a.txt"]) == ["a", "a/b", "a/b/f", "a.txt"]
    assert _paths(tree, include=["z"]) == ["z", "z/deep", "z/deep/h"]
    assert _paths(tree, include=["none"]) == []


def test_links_on_a_path_are_followed_within_the_folder(tree: str) -> None:
    assert followed(tree, ["/link/h"]) == ["link", "z/deep/h"]
    assert followed(tree, ["a.txt", "."]) == []
    assert followed(tree, ["a/*"]) == []


def test_a_link_that_leads_nowhere_ends(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")

    assert followed(str(tmp_path), ["round"]) == ["round"]


def test_a_second_name_of_a_file_tells_the_first(tree: str) -> None:
    os.link(f"{tree}/a/g", f"{tree}/again")
    first: dict[tuple[int, int], str] = {}
    told = {path: stat_of(tree, path, status, first).linkname for path, status in Selection().walk(tree)}

    assert (told["a/g"], told["again"], told["link"]) == (b"", b"a/g", b"z/deep")


def test_a_device_is_told_with_its_numbers() -> None:
    told = stat_of("/dev", "zero", os.stat("/dev/zero"), {})

    assert (told.devmajor, told.devminor) == (1, 5)
