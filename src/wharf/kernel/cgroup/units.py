"""What systemd calls control groups and their limits: slices, scopes and properties. Pure."""

from __future__ import annotations

from wharf.kernel.cgroup.v2 import weight_of_shares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from wharf.kernel.cgroup.resources import Resources

    Limits = Mapping[str, Any]
    Property = tuple[str, tuple[str, Any]]

_UNLIMITED: Final = (1 << 64) - 1
_DEFAULT_PERIOD_US: Final = 100_000
_SECOND_US: Final = 1_000_000


def expanded(slice_: str) -> str:
    """Return the path of a slice's group: "a-b.slice" is in "a.slice" (systemd.slice(5)).

    Raises:
        ValueError: it is no slice's name.
    """
    stem = slice_.removesuffix(".slice")
    if stem == slice_ or "/" in slice_ or (stem != "-" and any(not part for part in stem.split("-"))):
        raise ValueError(f"invalid slice name: {slice_}")
    if stem == "-":
        return ""
    parts = stem.split("-")
    return "".join(f"/{'-'.join(parts[: number + 1])}.slice" for number in range(len(parts)))


def limits(resources: Resources) -> list[Property]:
    """Return those limits that systemd knows, as a unit's properties (org.freedesktop.systemd1(5))."""
    found: list[Property] = []
    memory: Limits = resources.get("memory") or {}
    cpu: Limits = resources.get("cpu") or {}
    pids: Limits = resources.get("pids") or {}
    for key, name in (("limit", "MemoryMax"), ("reservation", "MemoryLow")):
        if value := memory.get(key):
            found.append((name, ("t", _maximum(value))))
    if shares := cpu.get("shares"):
        found.append(("CPUWeight", ("t", weight_of_shares(shares))))
    if quota := cpu.get("quota"):
        period = cpu.get("period") or _DEFAULT_PERIOD_US
        found.append(("CPUQuotaPerSecUSec", ("t", _UNLIMITED if quota < 0 else quota * _SECOND_US // period)))
    if "limit" in pids:
        found.append(("TasksMax", ("t", _maximum(pids["limit"]))))
    return found


def _maximum(value: int) -> int:
    return _UNLIMITED if value < 0 else value
