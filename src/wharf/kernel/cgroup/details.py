"""What a control group has used beyond :mod:`wharf.kernel.cgroup.measure`: as much as ``runc events`` prints."""

from __future__ import annotations

import os

from wharf.kernel.cgroup.measure import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Final, TypedDict

    from wharf.kernel.cgroup.measure import Read

    class Counter(TypedDict):
        """Sizes in bytes; a limit of None is no limit, a limit or a maximum of 0 is not told."""

        usage: int
        max: int
        limit: int | None
        fail_count: int

    class Details(TypedDict):
        """What :func:`details` returns; counters and lists are empty where no mounted controller counts.

        ``cpuset`` has "cpus" and "mems", lists of numbers, and v1's flags by the names of their files. ``swap``
        counts memory and swap together. ``hugetlb`` is by size, such as "2MB".
        """

        user_percpu_ns: list[int]
        system_percpu_ns: list[int]
        cpuset: dict[str, int | list[int]]
        swap: Counter
        kernel: Counter
        kernel_tcp: Counter
        hugetlb: dict[str, Counter]


_NO_LIMIT: Final = 1 << 62
_CPUSET_FLAGS: Final = (
    "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
    "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
)  # fmt: skip
_PAGES: Final = "/sys/kernel/mm/hugepages"
_UNITS: Final = ("KB", "MB", "GB")


def details(read: Read, old: Container[str]) -> Details:
    """Measure; ``old`` are the controllers that are on v1."""
    user, system = _modes(read("cpuacct.usage_all"))
    return {
        "user_percpu_ns": user,
        "system_percpu_ns": system,
        "cpuset": _cpuset(read),
        "swap": _v1_counter(read, "memory.memsw") if "memory" in old else _v2_swap(read),
        "kernel": _v1_counter(read, "memory.kmem"),
        "kernel_tcp": _v1_counter(read, "memory.kmem.tcp"),
        "hugetlb": {size: _pages(read, size, on_v1="hugetlb" in old) for size in page_sizes(_PAGES)},
    }


def page_sizes(folder: str) -> list[str]:
    """Return the sizes of huge pages that a folder of the kernel's lists, in the words of control groups: "2MB"."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [_spelt(int(name.removeprefix("hugepages-").removesuffix("kB"))) for name in sorted(names)]


def _spelt(kilobytes: int) -> str:
    unit = 0
    while kilobytes >= 1024 and unit + 1 < len(_UNITS):
        kilobytes //= 1024
        unit += 1
    return f"{kilobytes}{_UNITS[unit]}"


def _modes(text: str | None) -> tuple[list[int], list[int]]:
    """Return the times by CPU in user mode, and in the kernel's."""
    rows = [line.split() for line in (text or "").splitlines()[1:]]
    return [int(row[1]) for row in rows], [int(row[2]) for row in rows]


def _cpuset(read: Read) -> dict[str, int | list[int]]:
    found: dict[str, int | list[int]] = {}
    for name in ("cpus", "mems"):
        text = read(f"cpuset.{name}") or ""
        found[name] = numbers(text if text.strip() else read(f"cpuset.{name}.effective") or "")
    for name in _CPUSET_FLAGS:
        found[name] = int(read(f"cpuset.{name}") or 0)
    return found


def numbers(text: str) -> list[int]:
    """Return the members of a list such as "0-2,4" (cpuset(7) "List format")."""
    found: list[int] = []
    for word in text.strip().split(","):
        first, _, last = word.partition("-")
        found += range(int(first), int(last or first) + 1) if first else ()
    return found


def _v1_counter(read: Read, prefix: str) -> Counter:
    return {
        "usage": _number(read(f"{prefix}.usage_in_bytes")),
        "max": _number(read(f"{prefix}.max_usage_in_bytes")),
        "limit": _limit(read(f"{prefix}.limit_in_bytes")),
        "fail_count": _number(read(f"{prefix}.failcnt")),
    }


def _v2_swap(read: Read) -> Counter:
    used, limit = _number(read("memory.swap.current")), _limit(read("memory.swap.max"))
    memory = _limit(read("memory.max"))
    return {
        "usage": used + _number(read("memory.current")),
        "max": 0,
        "limit": None if limit is None or memory is None else limit + memory,
        "fail_count": pairs(read("memory.swap.events")).get("max", 0),
    }


def _pages(read: Read, size: str, *, on_v1: bool) -> Counter:
    """Return what is reserved, where the kernel counts that (5.7), else what is in use."""
    now = "usage_in_bytes" if on_v1 else "current"
    prefix = f"hugetlb.{size}.rsvd"
    if read(f"{prefix}.{now}") is None:
        prefix = f"hugetlb.{size}"
    if on_v1:
        return _v1_counter(read, prefix)
    events = pairs(read(f"hugetlb.{size}.events"))
    return {
        "usage": _number(read(f"{prefix}.current")),
        "max": 0,
        "limit": _limit(read(f"{prefix}.max")),
        "fail_count": events.get("max", 0),
    }


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().isdigit() else 0


def _limit(text: str | None) -> int | None:
    if text is None:
        return 0
    value = int(text) if text.strip().isdigit() else _NO_LIMIT
    return None if value >= _NO_LIMIT else value
