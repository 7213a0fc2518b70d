"""docker stats: the cgroup's and the network's counters in Docker's shape."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.lib.timestamps import ZERO as NEVER
from wharf.spec.engine_api.container import (
    ContainerBlkioStatEntry,
    ContainerBlkioStats,
    ContainerCPUStats,
    ContainerNetworkStats,
    ContainerStatsResponse,
)

if TYPE_CHECKING:
    from wharf.kernel.cgroup.measure import BlockEntry, Use

INTERVAL_S: Final = 1.0
_NO_PIDS_LIMIT: Final = 2**64 - 1  # as Docker writes "max"
_NO_SCHEDULER: Final[ContainerBlkioStats] = {
    "io_queue_recursive": [], "io_service_time_recursive": [], "io_wait_time_recursive": [],
    "io_merged_recursive": [], "io_time_recursive": [], "sectors_recursive": [],
}  # fmt: skip
"""What only the scheduler CFQ counted, which no supported kernel has any more (Linux 5.0): empty, as dockerd's."""
_NO_CPU: Final[ContainerCPUStats] = {
    "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
    "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
}
_NO_BLOCKS: Final[ContainerBlkioStats] = {
    "io_service_bytes_recursive": None, "io_serviced_recursive": None, "io_queue_recursive": None,
    "io_service_time_recursive": None, "io_wait_time_recursive": None, "io_merged_recursive": None,
    "io_time_recursive": None, "sectors_recursive": None,
}  # fmt: skip
"""What is told of a container that does not run: clients read it without asking whether it is there."""
_TICKS_NS: Final = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


async def stats(context: Context, ref: str, *, stream: bool, one_shot: bool) -> AsyncIterator[ContainerStatsResponse]:
    """Yield a container's statistics: every second with ``stream``, else once.

    Without ``one_shot`` a single sample carries the CPU numbers of a second before, so that a client
    can take the difference.
    """
    container = context.registry.resolve(ref)
    previous: ContainerStatsResponse | None = None
    if not one_shot and not stream and container.state.alive:
        previous = await _sample(context, container, None)
        await asyncio.sleep(INTERVAL_S)
    while container.id in context.registry:
        previous = await _sample(context, container, previous)
        yield previous
        if not stream:
            return
        await asyncio.sleep(INTERVAL_S)


async def _sample(
    context: Context, container: Container, previous: ContainerStatsResponse | None
) -> ContainerStatsResponse:
    document: ContainerStatsResponse = {
        "id": container.id,
        "name": f"/{container.name}",
        "os_type": "linux",
        "read": context.clock.now() if container.state.alive else NEVER,
        "preread": previous["read"] if previous else NEVER,
        "num_procs": 0,
        "precpu_stats": previous["cpu_stats"] if previous else _NO_CPU,
        "cpu_stats": _NO_CPU,
        "memory_stats": {},
        "pids_stats": {},
        "blkio_stats": _NO_BLOCKS,
        "storage_stats": {},
    }
    if not container.state.alive:
        return document
    try:
        use = await asyncio.to_thread(context.cgroup_of(container).stats)
        system_ns, online = await asyncio.to_thread(_host_cpu)
        networks = await asyncio.to_thread(_networks, container.state.pid)
    except (FileNotFoundError, ProcessLookupError):
        return document  # it ended between the look and the reading
    return fill(document, use, system_ns=system_ns, online=online, networks=networks)


def _host_cpu() -> tuple[int, int]:
    """Return the host's CPU time in nanoseconds and its number of CPUs (proc(5), /proc/stat)."""
    with open("/proc/stat") as file:
        fields = file.readline().split()[1:8]
    return sum(map(int, fields)) * _TICKS_NS, os.cpu_count() or 1


def _networks(pid: int) -> dict[str, ContainerNetworkStats]:
    with open(f"/proc/{pid}/net/dev") as file:
        return parse_net_dev(file.read())


def parse_net_dev(text: str) -> dict[str, ContainerNetworkStats]:
    """Return the counters of every link but lo (proc(5), /proc/net/dev). Pure."""
    networks: dict[str, ContainerNetworkStats] = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        numbers = [int(n) for n in rest.split()]
        if name.strip() != "lo":
            networks[name.strip()] = {
                "rx_bytes": numbers[0], "rx_packets": numbers[1], "rx_errors": numbers[2], "rx_dropped": numbers[3],
                "tx_bytes": numbers[8], "tx_packets": numbers[9], "tx_errors": numbers[10], "tx_dropped": numbers[11],
            }  # fmt: skip
    return networks


def fill(
    document: ContainerStatsResponse,
    use: Use,
    *,
    system_ns: int,
    online: int,
    networks: dict[str, ContainerNetworkStats],
) -> ContainerStatsResponse:
    """Return ``document`` with the counters put where Docker has them. Pure."""
    cpu, memory = use["cpu"], use["memory"]
    return {
        **document,
        "num_procs": 0,
        "pids_stats": {"current": use["pids"]["current"], "limit": use["pids"]["limit"] or _NO_PIDS_LIMIT},
        "cpu_stats": {
            "cpu_usage": {
                "total_usage": cpu["usage_ns"],
                "percpu_usage": cpu["percpu_ns"] or None,
                "usage_in_kernelmode": cpu["system_ns"],
                "usage_in_usermode": cpu["user_ns"],
            },
            "system_cpu_usage": system_ns,
            "online_cpus": online,
            "throttling_data": {
                "periods": cpu["periods"],
                "throttled_periods": cpu["throttled_periods"],
                "throttled_time": cpu["throttled_ns"],
            },
        },
        "memory_stats": {
            "usage": memory["usage_bytes"],
            "max_usage": memory["max_usage_bytes"],
            "stats": memory["stat"],
            "failcnt": memory["fail_count"],
            "limit": memory["limit_bytes"] or _host_memory_bytes(),
        },
        "blkio_stats": {
            "io_service_bytes_recursive": [_block_entry(e) for e in use["blkio"]["service_bytes"]],
            "io_serviced_recursive": [_block_entry(e) for e in use["blkio"]["serviced"]],
            **_NO_SCHEDULER,
        },
        "networks": networks,
    }


def _block_entry(entry: BlockEntry) -> ContainerBlkioStatEntry:
    return {"major": entry["major"], "minor": entry["minor"], "op": entry["op"].lower(), "value": entry["value"]}


def _host_memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
