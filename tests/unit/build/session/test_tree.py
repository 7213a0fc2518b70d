from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from tests.fakes.buildkit_client import FOLDER_MODE, LINK_MODE, stat

from wharf.build.operations.selection import Digests
from wharf.build.session.entries import entry_of
from wharf.build.session.tree import Tree
from wharf.errors import InvalidArgument
from wharf.spec.buildkit.stat_pb2 import Stat


def fill(folder: Path, entries: list[tuple[Stat, bytes]], digests: Digests | None = None) -> list[str]:
    """Bring entries into a folder; return the paths whose content was needed."""
    tree = Tree(folder, digests)
    needed = []
    try:
        for number, (sent, content) in enumerate(entries):
            entry = entry_of(sent)
            if tree.put(entry):
                needed.append(entry.path)
                tree.begin(number, entry)
                if content:
                    tree.write(number, content)
                tree.write(number, b"")
        tree.finish()
    finally:
        tree.close()
    return needed


def plain(path: str, content: bytes, **more: object) -> tuple[Stat, bytes]:
    return stat(path, content, **more), content


FIRST = [
    (stat("d", None, mode=FOLDER_MODE & ~0o777 | 0o700, modTime=5 * 10**9), b""),
    plain("d/f", b"one", mode=0o640, modTime=7 * 10**9),
    (stat("d/l", mode=LINK_MODE, linkname="/etc/passwd"), b""),
    plain("e", b""),
]


def test_a_tree_is_as_it_was_sent(tmp_path: Path) -> None:
    folder = tmp_path / "c"

    assert fill(folder, FIRST) == ["d/f", "e"]
    file = (folder / "d/f").stat()
    assert (file.st_mode & 0o7777, file.st_mtime_ns, (folder / "d/f").read_bytes()) == (0o640, 7 * 10**9, b"one")
    assert ((folder / "d").stat().st_mode & 0o7777, (folder / "d").stat().st_mtime_ns) == (0o700, 5 * 10**9)
    assert os.readlink(folder / "d/l") == "/etc/passwd"
    assert (folder / "e").read_bytes() == b""


def test_what_has_not_changed_stays_what_has_is_made_anew_and_the_rest_goes(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    fill(folder, [*FIRST, plain("gone", b"x"), (stat("old", None), b""), plain("old/deep", b"x")])
    before = (folder / "d/f").stat().st_ino, (folder / "e").stat().st_ino

    changed = plain("e", b"now longer")
    assert fill(folder, [*FIRST[:3], changed]) == ["e"]
    assert (folder / "d/f").stat().st_ino == before[0]
    assert (folder / "e").read_bytes() == b"now longer"
    assert sorted(os.listdir(folder)) == ["d", "e"]


def test_files_that_others_have_a_name_of_are_known_and_two_of_one_are_told_apart(tmp_path: Path) -> None:
    one, two = plain("one", b"1"), plain("two", b"1")
    fill(tmp_path / "c", [one, two])
    os.link(tmp_path / "c/one", tmp_path / "elsewhere")
    assert fill(tmp_path / "c", [one, two]) == []

    (tmp_path / "c/two").unlink()
    os.link(tmp_path / "c/one", tmp_path / "c/two")
    assert fill(tmp_path / "c", [one, two]) == ["two"]
    assert (tmp_path / "elsewhere").samefile(tmp_path / "c/one")
    assert not (tmp_path / "c/two").samefile(tmp_path / "c/one")


def test_a_name_may_become_another_kind_of_file(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    fill(folder, [(stat("x", None), b""), plain("x/in", b"1"), plain("y", b"2")])
    fill(folder, [plain("x", b"file"), (stat("y", None), b""), (stat("y/l", mode=LINK_MODE, linkname="."), b"")])

    assert ((folder / "x").read_bytes(), os.listdir(folder / "y")) == (b"file", ["l"])


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "c"
    fill(folder, [(stat("x", mode=LINK_MODE, linkname=str(outside)), b"")])
    fill(folder, [(stat("x", None), b""), plain("x/f", b"in")])

    assert (list(outside.iterdir()), (folder / "x/f").read_bytes()) == ([], b"in")
    with pytest.raises(InvalidArgument, match="out of order"):
        fill(tmp_path / "d", [(stat("x", mode=LINK_MODE, linkname=str(outside)), b""), plain("x/f", b"out")])
    assert list(outside.iterdir()) == []


def test_files_that_are_one_stay_one_and_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    fill(folder, [plain("a", b"same"), (stat("b", b"same", linkname="a"), b"")])

    assert (folder / "a").stat().st_ino == (folder / "b").stat().st_ino
    for target in ("b", "nothing", "z"):
        with pytest.raises(InvalidArgument, match="did not come before"):
            fill(tmp_path / "d", [(stat("b", b"", linkname=target), b""), plain("z", b"")])


def test_digests_of_what_came_are_known_without_reading(tmp_path: Path) -> None:
    digests = Digests()
    fill(tmp_path / "c", [plain("f", b"content")], digests)
    fd = os.open(tmp_path / "c/f", os.O_PATH)  # cannot be read
    try:
        assert digests.of(fd) == hashlib.sha256(b"content").hexdigest()
    finally:
        os.close(fd)


def test_content_that_nobody_asked_for_and_names_that_are_too_long_are_refused(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "c")
    try:
        with pytest.raises(InvalidArgument, match="nobody asked for"):
            tree.write(3, b"x")
        with pytest.raises(InvalidArgument, match="file name too long"):
            tree.put(entry_of(stat("n" * 300)))
    finally:
        tree.close()
    assert os.listdir(tmp_path / "c") == []
