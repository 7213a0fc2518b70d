from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wharf.build.graph.operations import Copy
from wharf.build.operations.selection import Digests, digest_of, matches
from wharf.errors import InvalidArgument, NotFound
from wharf.storage.trees import FOLDER


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.c").write_text("1")
    (tmp_path / "d/b.o").write_text("2")
    (tmp_path / "[x]").write_text("3")
    fd = os.open(tmp_path, FOLDER)
    yield tmp_path, fd
    os.close(fd)


def _digest(fd: int, source: str = "/d", **how: Any) -> str:
    return digest_of(fd, Copy(0, source, "/", contents_only=True, **how), Digests())


def test_a_digest_tells_content_and_mode_but_no_time(tree: tuple[Path, int]) -> None:
    path, fd = tree
    before = _digest(fd)
    os.utime(path / "d/a.c", ns=(1, 1))
    assert _digest(fd) == before

    (path / "d/a.c").chmod(0o600)
    changed = _digest(fd)
    (path / "d/a.c").write_text("9")

    assert len({before, changed, _digest(fd)}) == 3


def test_what_is_left_out_counts_for_nothing(tree: tuple[Path, int]) -> None:
    path, fd = tree
    before = _digest(fd, exclude=("*.o",))

    (path / "d/b.o").write_text("other")

    assert _digest(fd, exclude=("*.o",)) == before


def test_a_file_is_read_once(tree: tuple[Path, int]) -> None:
    path, _ = tree
    digests = Digests()
    fd = os.open(path / "[x]", os.O_RDONLY)
    try:
        first = digests.of(fd)
        os.lseek(fd, 0, os.SEEK_END)

        assert digests.of(fd) == first
    finally:
        os.close(fd)


def test_wildcards_match_names_in_their_folder(tree: tuple[Path, int]) -> None:
    _, fd = tree

    assert [match.path for match in matches(fd, Copy(0, "/*/*.c", "/", wildcards=True))] == ["/d/a.c"]
    assert [match.path for match in matches(fd, Copy(0, "/[[]x]", "/", wildcards=True))] == ["/[x]"]
    with pytest.raises(InvalidArgument, match="syntax error in pattern"):
        matches(fd, Copy(0, "/[", "/", wildcards=True))


def test_what_is_required_has_to_be_there(tree: tuple[Path, int]) -> None:
    with pytest.raises(NotFound, match='"/d/none": not found'):
        matches(tree[1], Copy(0, "/", "/", required=("/d/none",)))
