"""The tests' own control groups: all below one that bears the run's process id, so that runs at once do not meet."""

from __future__ import annotations

import os
from pathlib import Path

from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.cgroup.hierarchy import read_hierarchies

PARENT = f"/wharf-tests-{os.getpid()}"


def folders(name: str) -> list[Path]:
    """Return where the group ``name`` below :data:`PARENT` is, in each hierarchy that has it."""
    return [path for root in read_hierarchies().roots if (path := Path(f"{root}{PARENT}/{name}")).exists()]


def remove_parent() -> None:
    """Remove what holds the run's groups; each test has removed its own."""
    if (parent := open_cgroup(PARENT)).exists:
        parent.delete()
