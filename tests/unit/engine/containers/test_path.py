from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.engine.containers.path import Split, absolute, describe, go_mode, open_folder, real_path, split
from wharf.errors import InvalidArgument, NotFound


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "dir/sub").mkdir(parents=True)
    (tmp_path / "file").write_text("four")
    (tmp_path / "link").symlink_to("/dir")
    (tmp_path / "out").symlink_to("../../../../..")
    (tmp_path / "loop").symlink_to("loop")
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/a/b", Split("/a", "b", "b")),
        ("a/b", Split("/a", "b", "b")),
        ("/a/b/", Split("/a/b", ".", "b")),
        ("/a/b/.", Split("/a/b", ".", ".")),
        ("/a/b/./", Split("/a/b", ".", ".")),
        ("./", Split("/", ".", ".")),
        (".", Split("/", ".", ".")),
        ("/", Split("/", ".", "/")),
        ("", Split("/", ".", "/")),
        ("/a/../b", Split("/", "b", "b")),
        ("../../b", Split("/", "b", "b")),
    ],
)
def test_a_path_is_taken_apart_by_its_text(path: str, parts: Split) -> None:
    assert split(path) == parts


def test_absolute_stays_below_the_root() -> None:
    assert [absolute(path) for path in ("..", "//x//y/", "a/./b")] == ["/", "/x/y", "/a/b"]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/link/sub", "/dir/sub"), ("/out/dir", "/dir"), ("/gone/x", "/gone/x"), ("/link/../file", "/file")],
)
def test_where_a_path_leads(root: int, path: str, leads_to: str) -> None:
    assert real_path(root, path) == leads_to


def test_a_loop_of_symlinks_ends(root: int) -> None:
    assert real_path(root, "/loop").strip("/") in ("", "loop")


@pytest.mark.parametrize(
    ("path", "error"), [("/gone", NotFound), ("/file", InvalidArgument), ("/loop", InvalidArgument)]
)
def test_what_is_no_folder_is_refused(root: int, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        open_folder(root, path, path, "box")


def test_a_description_is_gos(root: int) -> None:
    folder = open_folder(root, "/", "/link", "box")
    try:
        found = describe(root, folder, split("/link"), "/link", "box")
    finally:
        os.close(folder)

    assert (found["name"], found["linkTarget"], found["mode"]) == ("link", "/dir", 1 << 27 | 0o777)


def test_modes_are_gos() -> None:
    assert go_mode(stat.S_IFDIR | 0o1755) == 1 << 31 | 1 << 20 | 0o755
    assert go_mode(stat.S_IFREG | 0o4755) == 1 << 23 | 0o755
    assert go_mode(stat.S_IFCHR | 0o600) == 1 << 26 | 1 << 21 | 0o600
