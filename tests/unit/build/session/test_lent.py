from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.lending import answered, lending, saying

from wharf.build.operations.selection import Digests
from wharf.build.session.filesync import Wanted
from wharf.build.session.lent import MOST_AT_ONCE, NothingLent
from wharf.errors import InvalidArgument

_FILE = ["f", stat.S_IFREG | 0o644, 3, 5, "", 0]
_WANTED = Wanted("context")
_FOLDER = ["d", stat.S_IFDIR | 0o755, 0, 5, "", 0]


def _bring(answer: Callable[[socket.socket], None], folder: Path, wanted: Wanted = _WANTED) -> list[int]:
    sizes: list[int] = []
    with answered(answer) as lender:
        lender.receive(wanted, folder, Digests(), sizes.append)
    return sizes


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    (folder / "d").mkdir(parents=True)
    for number in range(2 * MOST_AT_ONCE + 3):
        (folder / f"d/{number:03}").write_text(f"{number}")
    (folder / "large").write_bytes(bytes(3_000_000))
    (folder / "large").chmod(0o4711)
    os.link(folder / "large", folder / "more")
    (folder / "link").symlink_to("nowhere")
    (folder / "skip").write_text("x")
    os.utime(folder / "d", ns=(7, 7))
    return folder


def test_a_folder_is_brought_as_it_is(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    sizes = _bring(lending({"context": here}), there, Wanted("context", exclude=["skip"]))

    assert sorted(path.name for path in there.iterdir()) == ["d", "large", "link", "more"]
    assert [(there / "d" / one.name).read_text() for one in (here / "d").iterdir()] == [
        one.read_text() for one in (here / "d").iterdir()
    ]
    assert (there / "large").read_bytes() == bytes(3_000_000)
    assert (there / "large").stat().st_ino == (there / "more").stat().st_ino
    assert stat.S_IMODE((there / "large").stat().st_mode) == 0o4711
    assert (there / "large").stat().st_mtime_ns == (here / "large").stat().st_mtime_ns
    assert os.readlink(there / "link") == "nowhere"
    assert (there / "d").stat().st_mtime_ns == 7
    assert sizes[-1] == sum(path.stat().st_size for path in here.glob("d/*")) + 3_000_000


def test_only_what_has_changed_is_asked_for_again(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    before = _open_files()
    with answered(lending({"context": here})) as lender:
        lender.receive(Wanted("context"), there, Digests(), lambda _: None)
        (here / "d/000").write_text("changed")
        (here / "skip").unlink()
        kept = (there / "d/001").stat().st_ino
        sizes: list[int] = []
        lender.receive(Wanted("context"), there, Digests(), sizes.append)

    assert (sizes, (there / "d/000").read_text()) == ([7], "changed")
    assert (there / "d/001").stat().st_ino == kept
    assert not (there / "skip").exists()
    assert _open_files() == before


def test_what_is_in_a_file_is_known_without_reading_it_again(here: Path, tmp_path: Path) -> None:
    digests = Digests()
    with answered(lending({"context": here})) as lender:
        lender.receive(Wanted("context"), tmp_path / "there", digests, lambda _: None)

    with (tmp_path / "there/large").open("rb") as file:
        known = digests.known(os.fstat(file.fileno()))
        assert known == Digests().of(file.fileno())


def test_names_need_not_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / os.fsdecode(b"\xff")).write_text("x")
    _bring(lending({"context": tmp_path / "here"}), tmp_path / "there")

    assert os.listdir(os.fsencode(tmp_path / "there")) == [b"\xff"]


def test_a_client_says_why_it_cannot_go_on(here: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="no access allowed to dir 'other'"):
        _bring(lending({"context": here}), tmp_path / "there", Wanted("other"))
    with pytest.raises(InvalidArgument, match="invalid pattern"):
        _bring(lending({"context": here}), tmp_path / "there", Wanted("context", exclude=["["]))
    with pytest.raises(InvalidArgument, match="gone/: no such file or directory"):
        _bring(lending({"context": here / "gone"}), tmp_path / "there")


def test_what_a_client_says_of_a_name_that_is_not_utf_8_can_be_passed_on(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"the client failed: caf\\xe9: permission denied") as refused:
        _bring(saying({"error": os.fsdecode(b"caf\xe9") + ": permission denied"}), tmp_path / "there")
    str(refused.value).encode()
    with pytest.raises(InvalidArgument, match="the client failed") as refused:
        _bring(saying({"error": "half of a pair: \ud800"}), tmp_path / "there")
    str(refused.value).encode()


def test_who_carries_bytes_alone_lends_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingLent):
        _bring(saying([_FILE], [], []), tmp_path / "there")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([[["../f", *_FILE[1:]]]], "leaves the folder"),
        ([[["f", stat.S_IFREG, 1 << 70, 1 << 70, "", 0]]], "cannot be"),
        ([[["\ud800", *_FILE[1:]]]], "cannot be"),
        ([[_FOLDER, _FILE, _FOLDER]], "out of order"),
        ([["f"]], "no file"),
        ([{"said": 1}], "no list"),
        (["x" * 5_000_000], "too long"),
    ],
)
def test_what_cannot_be_is_refused(told: list[object], said: str, tmp_path: Path) -> None:
    before = _open_files()
    with pytest.raises(InvalidArgument, match=said):
        _bring(saying(*told), tmp_path / "there")
    assert _open_files() == before


def test_what_is_no_file_or_too_much_is_refused(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    before = _open_files()
    try:
        with pytest.raises(InvalidArgument, match="is no file"):
            _bring(saying([_FILE], [], [], fds=(reader,)), tmp_path / "one")
        with pytest.raises(InvalidArgument, match="more than it was asked for"):
            _bring(saying([_FILE], [], [], fds=(reader,) * (MOST_AT_ONCE + 30)), tmp_path / "two")
        assert _open_files() == before
    finally:
        os.close(reader)
        os.close(writer)


def test_a_client_that_goes_ends_the_transfer(tmp_path: Path) -> None:
    def hang_up(theirs: socket.socket) -> None:
        theirs.shutdown(socket.SHUT_RDWR)

    with pytest.raises(InvalidArgument, match=r"went before|cannot be read"):
        _bring(hang_up, tmp_path / "there")


def test_a_transfer_that_failed_leaves_no_answer_to_the_next(tmp_path: Path) -> None:
    with answered(saying([["../out", *_FILE[1:]]], [], [])) as lender:
        with pytest.raises(InvalidArgument):
            lender.receive(_WANTED, tmp_path / "there", Digests(), lambda _: None)
        with pytest.raises(NothingLent):
            lender.receive(_WANTED, tmp_path / "there", Digests(), lambda _: None)


def test_a_lender_that_was_closed_lends_nothing_more(here: Path, tmp_path: Path) -> None:
    with answered(lending({"context": here})) as lender:
        lender.close()
        with pytest.raises(NothingLent):
            lender.receive(_WANTED, tmp_path / "there", Digests(), lambda _: None)


def test_more_patterns_than_fit_a_line_are_for_the_session(here: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingLent):
        _bring(lending({"context": here}), tmp_path / "there", Wanted("context", exclude=["x" * 40_000]))
