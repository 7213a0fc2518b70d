from __future__ import annotations

import os
from pathlib import Path

from wharf.kernel.cgroup.entry import Entry


def test_a_process_enters_by_writing_nought_to_every_door(tmp_path: Path) -> None:
    doors = [tmp_path / "a", tmp_path / "b"]
    entry = Entry([os.open(door, os.O_WRONLY | os.O_CREAT) for door in doors], -1)

    entry.enter_v1()
    entry.close()

    assert [door.read_bytes() for door in doors] == [b"0", b"0"]


def test_doors_are_closed_once(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    entry = Entry([os.dup(folder)], os.dup(folder))

    entry.close()
    entry.close()

    assert (entry.v1, entry.v2) == ([], -1)
    os.close(folder)
