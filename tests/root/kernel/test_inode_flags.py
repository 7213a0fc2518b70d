"""Hints to a file system, on whatever file system the tests' folder is."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from wharf.kernel.inode_flags import spread_folders

pytestmark = pytest.mark.root


def test_ext4_is_told_that_folders_have_nothing_to_do_with_each_other(tmp_path: Path) -> None:
    if subprocess.run(["stat", "-fc", "%T", tmp_path], capture_output=True, check=True).stdout != b"ext2/ext3\n":
        pytest.skip("another file system")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        spread_folders(fd)
        spread_folders(fd)
    finally:
        os.close(fd)

    shown = subprocess.run(["lsattr", "-d", tmp_path], capture_output=True, text=True, check=True).stdout
    assert "T" in shown.split()[0]


def test_a_file_system_without_the_hint_says_so() -> None:
    fd = os.open("/proc", os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="ioctl") as refused:
            spread_folders(fd)
    finally:
        os.close(fd)

    assert refused.value.errno in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL)
