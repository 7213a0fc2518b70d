from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.engine.buildkit.sbom import read_in
from wharf.errors import InvalidArgument


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "a.spdx.json").write_bytes(b"{}")
    (tmp_path / "folder.spdx.json").mkdir()
    (tmp_path / "link.spdx.json").symlink_to("a.spdx.json")
    os.mkfifo(tmp_path / "pipe.spdx.json")
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_a_file_is_read(root: int) -> None:
    assert read_in(root, "a.spdx.json", 2) == b"{}"


@pytest.mark.parametrize("name", ["folder", "link", "pipe", "none"])
def test_what_is_no_file_is_refused_and_nothing_stays_open(root: int, name: str) -> None:
    before = os.listdir("/proc/self/fd")

    with pytest.raises(InvalidArgument, match=f"the scanner's {name}.spdx.json"):
        read_in(root, f"{name}.spdx.json", 2)
    assert os.listdir("/proc/self/fd") == before


def test_more_than_all_may_have_together_is_refused(root: int) -> None:
    with pytest.raises(InvalidArgument, match="larger than"):
        read_in(root, "a.spdx.json", 1)
