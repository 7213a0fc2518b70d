"""Where there is no btrfs; with one, tests/root/storage/roots/test_btrfs.py uses all of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.kernel import btrfs

pytestmark = pytest.mark.root


def test_an_ordinary_folder_is_no_subvolume(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert not btrfs.delete_subvolume(fd, b"d")
        assert not btrfs.delete_subvolume(fd, b"missing")
        with pytest.raises(OSError, match="Inappropriate ioctl"):
            btrfs.create_subvolume(fd, "new")
        with pytest.raises(OSError, match="Inappropriate ioctl"):
            btrfs.snapshot(fd, fd, "new")
    finally:
        os.close(fd)
    assert os.listdir(tmp_path) == ["d"]
