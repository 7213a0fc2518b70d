"""What a test changed about the mounts that it sees, told apart from what others on the machine change meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def mounts(process: int | str = "self") -> frozenset[str]:
    """Return a line of mountinfo for each mount (proc_pid_mountinfo(5))."""
    return frozenset(Path(f"/proc/{process}/mountinfo").read_text().splitlines())


def changed(before: frozenset[str], process: int | str = "self") -> list[str]:
    """Return what has been mounted since, and what has been unmounted.

    Somebody outside may remove a folder that is a mount point in our namespace alone, for they have unmounted theirs:
    the kernel then takes the mount away here, too. It is told by its place, which is there no longer.
    """
    now = mounts(process)
    return sorted(now - before) + sorted(line for line in before - now if os.path.lexists(_place(line)))


@contextmanager
def unchanged() -> Iterator[None]:
    """Assert that no mount of ours comes or goes in the block."""
    before = mounts()
    yield
    assert not (left := changed(before)), left


def _place(line: str) -> str:
    return line.split()[4].encode().decode("unicode_escape").encode("latin-1").decode(errors="surrogateescape")
