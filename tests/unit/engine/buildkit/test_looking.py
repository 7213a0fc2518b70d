from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.engine.buildkit import looking
from wharf.errors import InvalidArgument, NotFound
from wharf.spec.buildkit.gateway_pb2 import FileRange


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "outside").write_text("secret")
    top = tmp_path / "top"
    (top / "d").mkdir(parents=True)
    (top / "d/f").write_bytes(b"0123456789")
    (top / "d/g").touch()
    (top / "abs").symlink_to("/d/f")
    (top / "out").symlink_to("../outside")
    with (top / "huge").open("wb") as file:
        file.truncate(looking.MOST_BYTES + 1)
    fd = os.open(top, os.O_RDONLY)
    yield fd
    os.close(fd)


def test_a_file_is_read_whole_or_in_part_and_links_stay_inside(root: int) -> None:
    assert looking.read(root, "/d/f", None) == b"0123456789"
    assert looking.read(root, "abs", FileRange(Offset=2, Length=3)) == b"234"
    for path, kind in (
        ("out", NotFound),
        ("../outside", NotFound),
        ("d", InvalidArgument),
        ("huge", InvalidArgument),
    ):
        with pytest.raises(kind):
            looking.read(root, path, None)


def test_a_folder_is_listed_by_name(root: int) -> None:
    assert [one.path for one in looking.listed(root, "/", "")] == [b"abs", b"d", b"huge", b"out"]
    assert [(one.path, one.size) for one in looking.listed(root, "d", "f*")] == [(b"f", 10)]
    with pytest.raises(InvalidArgument):
        looking.listed(root, "d/f", "")


def test_a_file_is_told_of_and_a_link_is_a_link(root: int) -> None:
    assert looking.told(root, "/d/f").size == 10
    assert (looking.told(root, "abs").linkname, looking.told(root, "/").path) == (b"/d/f", b"/")
    with pytest.raises(NotFound):
        looking.told(root, "nothing")
    with pytest.raises(NotFound):
        looking.told(None, "/")
