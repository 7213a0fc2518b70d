"""Writes what was measured, and the machine it was measured on, into docs/performance.md between two marks."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

from bench.rows import Row, markdown

BEGIN, END = "<!-- begin: make bench -->", "<!-- end: make bench -->"


def write(page: Path, rows: Iterable[Row], made_by: str = "make bench") -> None:
    """Replace what stands between the marks of ``page``; raise ValueError when a mark is missing."""
    page.write_text(replaced(page.read_text(), f"{machine()}\n\n{markdown(rows)}", made_by))


def replaced(text: str, section: str, made_by: str = "make bench") -> str:
    """Return ``text`` with ``section`` between the marks; raise ValueError when a mark is missing."""
    marks = BEGIN.replace("make bench", made_by), END.replace("make bench", made_by)
    before, begin, rest = text.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"the page lacks {marks[0]} and {marks[1]}")
    return f"{before}{begin}\n{section.strip()}\n{end}{after}"


def machine() -> str:
    """Return a sentence that says what machine this is."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cgroups = "cgroup v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "cgroup v1"
    return (
        f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}: {len(names) or os.cpu_count()} processors "
        f"({(names or [platform.machine()])[0]}), {gigabytes:.0f} GiB of memory, Linux {platform.release()}, "
        f"{cgroups}, Python {platform.python_version()}."
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
