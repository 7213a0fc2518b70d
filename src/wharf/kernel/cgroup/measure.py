"""What a control group has used: the files of v1 and v2 as one document."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import TypedDict

    Read = Callable[[str], str | None]

    class CPUUse(TypedDict):
        """Times in nanoseconds."""

        usage_ns: int
        user_ns: int
        system_ns: int
        percpu_ns: list[int]
        periods: int
        throttled_periods: int
        throttled_ns: int

    class MemoryUse(TypedDict):
        """Sizes in bytes; a limit of None is no limit; ``stat`` is the kernel's own table."""

        usage_bytes: int
        max_usage_bytes: int
        limit_bytes: int | None
        fail_count: int
        oom_kills: int
        stat: dict[str, int]

    class PidsUse(TypedDict):
        """Tasks; a limit of None is no limit."""

        current: int
        limit: int | None

    class BlockEntry(TypedDict):
        """One counter of one device; ``op`` is Docker's word: Read, Write, Sync, Async, Discard, Total."""

        major: int
        minor: int
        op: str
        value: int

    class BlockUse(TypedDict):
        """Bytes and operations."""

        service_bytes: list[BlockEntry]
        serviced: list[BlockEntry]

    class Pressure(TypedDict):
        """Shares of time in percent, and a time in microseconds (kernel docs, accounting/psi)."""

        avg10: float
        avg60: float
        avg300: float
        total: int

    class Use(TypedDict):
        """What :meth:`wharf.kernel.cgroup.group.Cgroup.stats` returns."""

        cpu: CPUUse
        memory: MemoryUse
        pids: PidsUse
        blkio: BlockUse
        pressure: dict[str, dict[str, Pressure]]  # of cpu, memory and io: "some" and "full"


_NO_LIMIT = 1 << 62
_USER_HZ_NS = 10_000_000  # 1/USER_HZ; the kernel's interface is 100 a second on both our architectures


def use(read: Read, old: Container[str]) -> Use:
    """Measure; ``old`` are the controllers that are on v1."""
    return {
        "cpu": cpu_v1(read) if "cpuacct" in old else cpu_v2(read),
        "memory": memory_v1(read) if "memory" in old else memory_v2(read),
        "pids": pids(read),
        "blkio": blkio_v1(read) if "blkio" in old else io_v2(read),
        "pressure": pressure(read),
    }


def pairs(text: str | None) -> dict[str, int]:
    """Parse lines of "name number"; others are left out."""
    found = {}
    for line in (text or "").splitlines():
        name, _, number = line.partition(" ")
        if number.lstrip("-").isdigit():
            found[name] = int(number)
    return found


def cpu_v1(read: Read) -> CPUUse:
    """Read the cpuacct and cpu controllers of v1."""
    stat, throttling = pairs(read("cpuacct.stat")), pairs(read("cpu.stat"))
    return {
        "usage_ns": _number(read("cpuacct.usage")),
        "user_ns": _either(read("cpuacct.usage_user"), stat.get("user", 0) * _USER_HZ_NS),
        "system_ns": _either(read("cpuacct.usage_sys"), stat.get("system", 0) * _USER_HZ_NS),
        "percpu_ns": [int(word) for word in (read("cpuacct.usage_percpu") or "").split()],
        "periods": throttling.get("nr_periods", 0),
        "throttled_periods": throttling.get("nr_throttled", 0),
        "throttled_ns": throttling.get("throttled_time", 0),
    }


def cpu_v2(read: Read) -> CPUUse:
    """Read the cpu controller of v2, which does not count by CPU."""
    stat = pairs(read("cpu.stat"))
    return {
        "usage_ns": stat.get("usage_usec", 0) * 1000,
        "user_ns": stat.get("user_usec", 0) * 1000,
        "system_ns": stat.get("system_usec", 0) * 1000,
        "percpu_ns": [],
        "periods": stat.get("nr_periods", 0),
        "throttled_periods": stat.get("nr_throttled", 0),
        "throttled_ns": stat.get("throttled_usec", 0) * 1000,
    }


def memory_v1(read: Read) -> MemoryUse:
    """Read the memory controller of v1."""
    return {
        "usage_bytes": _number(read("memory.usage_in_bytes")),
        "max_usage_bytes": _number(read("memory.max_usage_in_bytes")),
        "limit_bytes": _limit(read("memory.limit_in_bytes")),
        "fail_count": _number(read("memory.failcnt")),
        "oom_kills": pairs(read("memory.oom_control")).get("oom_kill", 0),
        "stat": pairs(read("memory.stat")),
    }


def memory_v2(read: Read) -> MemoryUse:
    """Read the memory controller of v2; the greatest use is known from 5.19 on."""
    events = pairs(read("memory.events"))
    return {
        "usage_bytes": _number(read("memory.current")),
        "max_usage_bytes": _number(read("memory.peak")),
        "limit_bytes": _limit(read("memory.max")),
        "fail_count": events.get("max", 0),
        "oom_kills": events.get("oom_kill", 0),
        "stat": pairs(read("memory.stat")),
    }


def pids(read: Read) -> PidsUse:
    """Read the pids controller, the same in both versions."""
    return {"current": _number(read("pids.current")), "limit": _limit(read("pids.max"))}


def blkio_v1(read: Read) -> BlockUse:
    """Read the blkio controller of v1: BFQ's counters when it schedules, else those of the throttle."""
    found: BlockUse = {"service_bytes": [], "serviced": []}
    for prefix in ("blkio.bfq", "blkio.throttle", "blkio"):
        found = {
            "service_bytes": _v1_entries(read(f"{prefix}.io_service_bytes_recursive")),
            "serviced": _v1_entries(read(f"{prefix}.io_serviced_recursive")),
        }
        if found["service_bytes"]:
            break
    return found


def io_v2(read: Read) -> BlockUse:
    """Read the io controller of v2."""
    found: BlockUse = {"service_bytes": [], "serviced": []}
    for line in (read("io.stat") or "").splitlines():
        device, *words = line.split()
        values = dict(word.split("=", 1) for word in words if "=" in word)
        major, _, minor = device.partition(":")
        for key, op, entries in (
            ("rbytes", "Read", found["service_bytes"]),
            ("wbytes", "Write", found["service_bytes"]),
            ("rios", "Read", found["serviced"]),
            ("wios", "Write", found["serviced"]),
        ):
            if key in values:
                entries.append({"major": int(major), "minor": int(minor), "op": op, "value": int(values[key])})
    return found


def pressure(read: Read) -> dict[str, dict[str, Pressure]]:
    """Read how much is waited for, where the kernel tells: v2 alone, and not with psi=0."""
    found = {kind: _pressure(read(f"{kind}.pressure")) for kind in ("cpu", "memory", "io")}
    return {kind: kinds for kind, kinds in found.items() if kinds}


def _pressure(text: str | None) -> dict[str, Pressure]:
    found: dict[str, Pressure] = {}
    for line in (text or "").splitlines():
        kind, *words = line.split()
        values = dict(word.split("=", 1) for word in words)
        found[kind] = {
            "avg10": float(values["avg10"]),
            "avg60": float(values["avg60"]),
            "avg300": float(values["avg300"]),
            "total": int(values["total"]),
        }
    return found


def _v1_entries(text: str | None) -> list[BlockEntry]:
    entries: list[BlockEntry] = []
    for line in (text or "").splitlines():
        words = line.split()
        if len(words) == 3:
            major, _, minor = words[0].partition(":")
            entries.append({"major": int(major), "minor": int(minor), "op": words[1], "value": int(words[2])})
    return entries


def _number(text: str | None) -> int:
    return _either(text, 0)


def _either(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.strip().isdigit() else otherwise


def _limit(text: str | None) -> int | None:
    value = _either(text, _NO_LIMIT)
    return None if value >= _NO_LIMIT else value
