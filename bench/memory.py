"""What processes cost in memory, as the kernel counts it (proc_pid_smaps_rollup(5))."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def private_mb(pids: Iterable[int]) -> float:
    """Return the memory that would be freed if these processes ended: pages nobody else has mapped."""
    return sum(_kilobytes(pid, "Private_Clean:") + _kilobytes(pid, "Private_Dirty:") for pid in pids) / 1024


def proportional_mb(pids: Iterable[int]) -> float:
    """Return the memory of these processes, each shared page divided by those who share it (PSS)."""
    return sum(_kilobytes(pid, "Pss:") for pid in pids) / 1024


def parent_of(pid: int) -> int:
    """Return the parent's process id."""
    return int(_stat(pid)[1])


def tree(root: int) -> list[int]:
    """Return ``root`` and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            children.setdefault(parent_of(int(folder.name)), []).append(int(folder.name))
        except OSError:
            continue  # it has just ended
    found, waiting = [], [root]
    while waiting:
        found.append(pid := waiting.pop())
        waiting += children.get(pid, [])
    return found


def _stat(pid: int) -> list[str]:
    # The name in parentheses may itself hold anything: the fields begin after the last one.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _kilobytes(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has just ended
    return sum(int(line.split()[1]) for line in lines if line.startswith(field))
