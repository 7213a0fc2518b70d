"""OCI resources as writes into cgroup v2 files; pure (kernel's admin-guide/cgroup-v2).

Same shape as :mod:`wharf.kernel.cgroup.v1`. What v2 cannot do raises ``OSError(EOPNOTSUPP)`` with the file of v1
that would have done it, so that no option is silently dropped.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel.cgroup.v1 import THROTTLES, throttles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.kernel.cgroup.resources import CPU, BlockIO, Memory, Pids
    from wharf.kernel.cgroup.v1 import Writes

_MIN_SHARES, _MAX_SHARES = 2, 262144
_MIN_WEIGHT, _MAX_WEIGHT = 1, 10000


def weight_of_shares(shares: int) -> int:
    """Return the cpu.weight (1 to 10000) that stands for v1 ``shares`` (2 to 262144).

    The curve, quadratic in the logarithms, meets both ends and both defaults: 1024 shares are weight 100.
    """
    if shares <= _MIN_SHARES:
        return _MIN_WEIGHT
    if shares >= _MAX_SHARES:
        return _MAX_WEIGHT
    import math  # noqa: PLC0415 - start-up: a library of its own

    log = math.log2(shares)
    return math.ceil(round(10 ** ((log * log + 125 * log) / 612 - 7 / 34), 6))


def io_weight(weight: int) -> int:
    """Return the io.weight (1 to 10000) that stands for blkio's 10 to 1000."""
    return 1 + (weight - 10) * 9999 // 990


def memory(memory: Memory) -> Writes:
    """Return the writes for "memory"; ``swap``, which counts both together there, is swap alone here.

    Raises:
        OSError: EOPNOTSUPP: swappiness, kernel memory or disabling the killer was asked for; EINVAL: swap
            without a limit, or less than it.
    """
    for key, file in (("kernel", "memory.kmem.limit_in_bytes"), ("kernelTCP", "memory.kmem.tcp.limit_in_bytes")):
        if memory.get(key):
            raise _unsupported(file)
    if "swappiness" in memory:
        raise _unsupported("memory.swappiness")
    if memory.get("disableOOMKiller"):
        raise _unsupported("memory.oom_control")
    writes: Writes = []
    limit, swap = memory.get("limit", 0), memory.get("swap", 0)
    if swap or limit == -1:
        writes.append(("memory.swap.max", _swap(limit, swap)))
    if limit:
        writes.append(("memory.max", _maximum(limit)))
    if memory.get("reservation"):
        writes.append(("memory.low", _maximum(memory["reservation"])))
    return writes


def cpu(cpu: CPU, *, quota: str = "max") -> Writes:
    """Return the writes for "cpu", cpusets excepted; ``quota`` is the present one, kept when only the period changes.

    Raises:
        OSError: EOPNOTSUPP: realtime limits were asked for.
    """
    if cpu.get("realtimeRuntime") or cpu.get("realtimePeriod"):
        raise _unsupported("cpu.rt_runtime_us")
    writes: Writes = []
    if "idle" in cpu:
        writes.append(("cpu.idle", str(cpu["idle"])))
    if cpu.get("shares"):
        writes.append(("cpu.weight", str(weight_of_shares(cpu["shares"]))))
    if cpu.get("quota") or cpu.get("period"):
        wanted = _maximum(cpu["quota"]) if cpu.get("quota") else quota
        writes.append(("cpu.max", f"{wanted} {cpu['period']}" if cpu.get("period") else wanted))
    if cpu.get("burst"):
        writes.append(("cpu.max.burst", str(cpu["burst"])))
    return writes


def pids(pids: Pids) -> Writes:
    """Return the writes for "pids"; 0 is a limit, -1 is none."""
    return [("pids.max", _maximum(pids["limit"]))] if "limit" in pids else []


def io(block: BlockIO, *, bfq: bool) -> Writes:
    """Return the writes for "blockIO"; with ``bfq`` the weights are those of the BFQ scheduler.

    A device's weight of 0 takes back what it had of its own.

    Raises:
        OSError: EOPNOTSUPP: a leaf weight was asked for.
    """
    if block.get("leafWeight"):
        raise _unsupported("blkio.leaf_weight")
    file, convert = ("io.bfq.weight", int) if bfq else ("io.weight", io_weight)
    writes = [(file, str(convert(block["weight"])))] if block.get("weight") else []
    for device in block.get("weightDevice", ()):
        if device.get("leafWeight"):
            raise _unsupported("blkio.leaf_weight_device")
        if "weight" in device:
            weight = convert(device["weight"]) if device["weight"] else "default"
            writes.append((file, f"{device['major']}:{device['minor']} {weight}"))
    for key, _, name in THROTTLES:
        limits = throttles(block, key)
        writes += [("io.max", f"{t['major']}:{t['minor']} {name}={t['rate'] or 'max'}") for t in limits]
    return writes


def unified(files: Mapping[str, str]) -> Writes:
    """Return the writes for "unified".

    Raises:
        OSError: EINVAL: a key is not the name of a file of a group.
    """
    for file in files:
        if "/" in file or file.startswith(".") or "." not in file:
            raise OSError(errno.EINVAL, "not a control group file", file)
    return list(files.items())


def _maximum(value: int) -> str:
    return "max" if value < 0 else str(value)


def _swap(limit: int, swap: int) -> str:
    if swap == -1 or (swap == 0 and limit == -1):
        return "max"
    if limit in {0, -1} or swap < limit:
        raise OSError(
            errno.EINVAL,
            f"memory and swap together ({swap}) must be a limit above memory's ({limit})",
            "memory.swap.max",
        )
    return str(swap - limit)


def _unsupported(file: str) -> OSError:
    return OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP) + " on cgroup v2", file)
