from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.daemon.pidfile import pidfile
from wharf.errors import Conflict


def test_file_of_a_living_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with pidfile(path), pytest.raises(Conflict, match=f"held by process {os.getpid()}"):
        pidfile(path).__enter__()


def test_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "pid").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        pidfile(tmp_path / "pid").__enter__()

    assert not (tmp_path / "elsewhere").exists()


def test_file_of_a_killed_process_is_taken_over_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("99999999 and more\n")
    with pidfile(path):
        content = path.read_text()

    assert (content, path.exists()) == (f"{os.getpid()}\n", False)
