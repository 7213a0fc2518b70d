"""File systems that keep projects to their limits, each in a file."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KINDS = {"ext4": (64, ("-q", "-O", "quota,project")), "xfs": (320, ("-q",))}
"""How large in MiB, and how it is made."""


@contextmanager
def mounted(kind: str, folder: Path) -> Iterator[Path]:
    """Mount one, with limits that hold. Skips the test where the kernel has no such quotas, as in ``make vm``."""
    megabytes, options = KINDS[kind]
    if shutil.which(f"mkfs.{kind}") is None:
        pytest.skip(f"mkfs.{kind} is not installed")
    (folder / "mounted").mkdir()
    with (folder / "disk").open("wb") as disk:
        disk.truncate(megabytes << 20)
    subprocess.run([f"mkfs.{kind}", *options, folder / "disk"], check=True)
    line = ["mount", "-t", kind, "-o", "loop,prjquota", folder / "disk", folder / "mounted"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no quotas of projects here: {done.stderr}")
    try:
        yield folder / "mounted"
    finally:
        subprocess.run(["umount", folder / "mounted"], check=True)
