from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.kernel.sync import syncfs


def test_a_closed_descriptor_is_an_error(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    syncfs(fd)
    os.close(fd)

    with pytest.raises(OSError, match="Bad file descriptor"):
        syncfs(fd)
