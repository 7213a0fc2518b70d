from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from wharf.shim.logfile import compress
from wharf.spec.log_parts import Part, delivered, find, position_in, read_position


def _parts(*inodes: int) -> list[Part]:
    return [Part(f"log.{inode}", 0, inode, 100) for inode in inodes]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (None, 0),
        ((7, 0), 0),
        ((7, 99), 0),
        ((7, 100), 1),
        ((8, 0), 1),
        ((9, 50), 2),
        ((9, 100), 3),
        ((5, 100), 0),  # of a part that is gone: whoever reads begins with the oldest
    ],
)
def test_parts_before_the_position_are_delivered(position: tuple[int, int] | None, expected: int) -> None:
    assert delivered(_parts(7, 8, 9), position) == expected


@pytest.mark.parametrize("text", [b"", b"[1", b"{}", b"[1]", b'["a", 2]', b"\xff"])
def test_a_cursor_that_says_nothing_is_none(text: bytes) -> None:
    assert position_in(text) is None


def test_a_cursor_is_read(tmp_path: Path) -> None:
    (tmp_path / "cursor").write_text("[12, 34]")

    assert (read_position(str(tmp_path / "cursor")), read_position(str(tmp_path / "none"))) == ((12, 34), None)


def test_parts_are_found_oldest_first_and_nothing_else(tmp_path: Path) -> None:
    for name in ("x.log", "x.log.1", "x.log.2.gz", "x.log.10", "x.log.next", "x.log.1.gz.part", "y.log.1", "x.log.a"):
        (tmp_path / name).write_bytes(b"12345")

    found = find(str(tmp_path / "x.log"))

    assert [(Path(part.path).name, part.number) for part in found] == [
        ("x.log.10", 10), ("x.log.2.gz", 2), ("x.log.1", 1), ("x.log", 0),
    ]  # fmt: skip


def test_a_part_is_the_same_when_it_has_been_compressed(tmp_path: Path) -> None:
    path = tmp_path / "x.log.1"
    path.write_bytes(b"12345" * 100)
    before = find(str(tmp_path / "x.log"))
    compress(str(path))
    after = find(str(tmp_path / "x.log"))

    assert [(p.inode, p.size) for p in before] == [(p.inode, p.size) for p in after]
    assert after[0].path.endswith(".gz")


def test_a_compressed_part_of_an_earlier_version_is_known_by_its_own_inode(tmp_path: Path) -> None:
    path = tmp_path / "x.log.1.gz"
    path.write_bytes(gzip.compress(b"12345"))

    [part] = find(str(tmp_path / "x.log"))

    assert (part.inode, part.size) == (path.stat().st_ino, 5)
