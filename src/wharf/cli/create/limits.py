"""Limits: CPU, memory, processes, and the ones of setrlimit(2)."""

from __future__ import annotations

from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_ULIMITS = frozenset({
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
    "rttime", "sigpending", "stack",
})  # fmt: skip

# flag -> field of HostConfig, for those that an update takes too
_NUMBERS = {
    "cpu-shares": "CpuShares",
    "memory": "Memory",
    "blkio-weight": "BlkioWeight",
    "cpu-period": "CpuPeriod",
    "cpu-quota": "CpuQuota",
    "cpu-rt-period": "CpuRealtimePeriod",
    "cpu-rt-runtime": "CpuRealtimeRuntime",
    "memory-reservation": "MemoryReservation",
    "memory-swap": "MemorySwap",
    "pids-limit": "PidsLimit",
}


def parse_cpus(text: str) -> int:
    """Return billionths of a CPU for a decimal such as ``1.5``.

    Raises:
        InvalidArgument: no number, or finer than a billionth.
    """
    whole, dot, part = text.partition(".")
    digits = (whole.removeprefix("-") or "0") + (part or "0")
    if not (digits.isascii() and digits.isdigit()) or (not whole and not part):
        raise InvalidArgument(f"failed to parse {text} as a rational number")
    if dot and len(part.rstrip("0")) > 9:
        raise InvalidArgument("value is too precise")
    value = int(whole.removeprefix("-") or "0") * 10**9 + int((part + "0" * 9)[:9])
    return -value if whole.startswith("-") else value


def parse_ulimit(text: str) -> Document:
    """Return Name, Soft and Hard of ``name=soft[:hard]``.

    Raises:
        InvalidArgument: an unknown name, or limits that cannot be.
    """
    name, separator, limits = text.partition("=")
    soft, colon, hard = limits.partition(":")
    hard = hard if colon else soft
    if not separator or not soft:
        raise InvalidArgument(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise InvalidArgument(f"invalid ulimit type: {name}")
    for number in (soft, hard):
        if not (number.removeprefix("-").isdigit() and number.isascii()):
            raise InvalidArgument(f'strconv.ParseInt: parsing "{number}": invalid syntax')
    low, high = int(soft), int(hard)
    if high != -1 and (low == -1 or low > high):
        raise InvalidArgument(f"ulimit soft limit must be less than or equal to hard limit: {low} > {high}")
    return {"Name": name, "Hard": high, "Soft": low}


def resources(values: Values) -> Document:
    """Return the limits that ``run``, ``create`` and ``update`` share, as fields of HostConfig.

    Raises:
        InvalidArgument: two of them contradict each other.
    """
    document: Document = {field: values.number(flag) for flag, field in _NUMBERS.items()}
    document["NanoCpus"] = parse_cpus(values.text("cpus")) if values.text("cpus") else 0
    document["CpusetCpus"] = values.text("cpuset-cpus")
    document["CpusetMems"] = values.text("cpuset-mems")
    return document


def swappiness(values: Values) -> int:
    """Return --memory-swappiness, -1 for the kernel's own."""
    value = values.number("memory-swappiness")
    if not -1 <= value <= 100:
        raise InvalidArgument(f"invalid value: {value}. Valid memory swappiness range is 0-100")
    return value
