"""Figures for Prometheus: of the engine, and of each container that runs (text format 0.0.4).

Read when asked for, one sample of each container, all at the same time. Names are those that dockerd and cAdvisor
use for the same things.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from wharf.api.answers import HEADERS, closing
from wharf.api.backend import Backend
from wharf.api.call import Call
from wharf.api.routes import Route
from wharf.errors import WharfError
from wharf.lib.measures import Histogram, Measures
from wharf.spec.engine_api.container import ContainerStatsResponse, ContainerSummary

_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_STARTED: Final = time.time()
_NS: Final = 1e9
Labels = Mapping[str, str]


@dataclass(slots=True)
class Family:
    """One metric with its samples."""

    name: str
    kind: str  # counter, gauge or histogram
    help: str
    samples: list[tuple[Labels, float, str]] = field(default_factory=list)  # labels, value, and what the name ends in

    def add(self, value: float | None, **labels: str) -> None:
        """Take a sample; one that nobody knows (None) is left out."""
        if value is not None:
            self.samples.append((labels, value, ""))

    def take(self, histogram: Histogram, **labels: str) -> None:
        """Take what a histogram has."""
        for bound, count in histogram.cumulative():
            self.samples.append(({**labels, "le": f"{bound:g}"}, count, "_bucket"))
        self.samples.append(({**labels, "le": "+Inf"}, histogram.count, "_bucket"))
        self.samples += [(labels, histogram.sum_s, "_sum"), (labels, histogram.count, "_count")]

    def lines(self) -> list[str]:
        """Return the family as Prometheus reads it; nothing without samples."""
        if not self.samples:
            return []
        head = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} {self.kind}"]
        return head + [f"{self.name}{end}{_labels(labels)} {_number(value)}" for labels, value, end in self.samples]


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


Sampled = tuple[ContainerSummary, ContainerStatsResponse]


def container_families(sampled: Sequence[Sampled]) -> list[Family]:
    """Return the figures of containers. Pure."""
    cpu = Family("container_cpu_usage_seconds_total", "counter", "CPU time used, in seconds.")
    throttled = Family("container_cpu_cfs_throttled_seconds_total", "counter", "Time throttled, in seconds.")
    memory = Family("container_memory_usage_bytes", "gauge", "Memory in use with the page cache, in bytes.")
    limit = Family("container_spec_memory_limit_bytes", "gauge", "Most memory the container may use, in bytes.")
    processes = Family("container_processes", "gauge", "Processes and threads.")
    received = Family("container_network_receive_bytes_total", "counter", "Bytes received.")
    sent = Family("container_network_transmit_bytes_total", "counter", "Bytes sent.")
    read = Family("container_fs_reads_bytes_total", "counter", "Bytes read from block devices.")
    written = Family("container_fs_writes_bytes_total", "counter", "Bytes written to block devices.")
    for summary, stats in sampled:
        labels = _identity(summary)
        figures = stats.get("cpu_stats") or {}
        used = (figures.get("cpu_usage") or {}).get("total_usage")
        cpu.add(None if used is None else used / _NS, **labels)
        waited = (figures.get("throttling_data") or {}).get("throttled_time")
        throttled.add(None if waited is None else waited / _NS, **labels)
        memory.add((stats.get("memory_stats") or {}).get("usage"), **labels)
        limit.add((stats.get("memory_stats") or {}).get("limit"), **labels)
        processes.add((stats.get("pids_stats") or {}).get("current"), **labels)
        for interface, traffic in (stats.get("networks") or {}).items():
            received.add(traffic.get("rx_bytes"), **labels, interface=interface)
            sent.add(traffic.get("tx_bytes"), **labels, interface=interface)
        for operation, family in (("read", read), ("write", written)):
            family.add(_block_bytes(stats, operation), **labels)
    return [cpu, throttled, memory, limit, processes, received, sent, read, written]


def _identity(summary: ContainerSummary) -> dict[str, str]:
    names = summary.get("Names") or [""]
    return {
        "id": summary.get("Id") or "",
        "name": names[0].removeprefix("/"),
        "image": summary.get("Image") or "",
    }


def _block_bytes(stats: ContainerStatsResponse, operation: str) -> float | None:
    entries = (stats.get("blkio_stats") or {}).get("io_service_bytes_recursive")
    if entries is None:
        return None
    return sum(entry.get("value") or 0 for entry in entries if (entry.get("op") or "").lower() == operation)


def engine_families(info: Mapping[str, object], version: Mapping[str, object]) -> list[Family]:
    """Return the figures of the engine and of its process."""
    about = Family("engine_daemon_engine_info", "gauge", "What this engine is.")
    about.add(
        1,
        version=str(version.get("Version")),
        os=str(info.get("OperatingSystem")),
        kernel=str(info.get("KernelVersion")),
        architecture=str(info.get("Architecture")),
        commit=str(version.get("GitCommit") or ""),
        os_type=str(info.get("OSType")),
        os_version=str(info.get("OSVersion")),
        graphdriver=str(info.get("Driver")),
        daemon_id=str(info.get("ID")),
    )
    cpus = Family("engine_daemon_engine_cpus_cpus", "gauge", "CPUs of the machine.")
    cpus.add(_known(info, "NCPU"))
    memory = Family("engine_daemon_engine_memory_bytes", "gauge", "Memory of the machine, in bytes.")
    memory.add(_known(info, "MemTotal"))
    states = Family("engine_daemon_container_states_containers", "gauge", "Containers by state.")
    for state in ("Running", "Paused", "Stopped"):
        states.add(_known(info, f"Containers{state}"), state=state.lower())
    images = Family("engine_daemon_images", "gauge", "Images of the local store.")
    images.add(_known(info, "Images"))
    listeners = Family("engine_daemon_events_subscribers_total", "gauge", "Clients that follow the events.")
    listeners.add(_known(info, "NEventsListener"))
    return [about, cpus, memory, states, images, listeners, *_process(_known(info, "NFd"))]


def measured_families(measures: Measures) -> list[Family]:
    """Return what an engine has counted and timed, by dockerd's names. Pure."""
    found = []
    for name, what, text in (
        ("engine_daemon_events_total", "events", "Events since the engine started."),
        ("engine_daemon_health_checks_total", "health_checks", "Health checks since the engine started."),
        ("engine_daemon_health_checks_failed_total", "health_checks_failed", "Health checks that could not be run."),
        ("builder_builds_triggered_total", "builds", "Builds since the engine started."),
    ):
        found.append(Family(name, "counter", text, [({}, measures.counts[what], "")]))
    for what in ("container", "network"):
        name = f"engine_daemon_{what}_actions_seconds"
        timed = Family(name, "histogram", f"Seconds that each {what} action took.")
        for action, histogram in sorted(measures.times.get(what, {}).items()):
            timed.take(histogram, action=action)
        found.append(timed)
    return found


def _known(info: Mapping[str, object], name: str) -> float | None:
    value = info.get(name)
    return value if isinstance(value, int) else None


def _process(descriptors: float | None) -> list[Family]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = Family("process_cpu_seconds_total", "counter", "CPU time of the engine, in seconds.")
    cpu.add(round(used.ru_utime + used.ru_stime, 3))
    opened = Family("process_open_fds", "gauge", "Open descriptors of the engine.")
    opened.add(descriptors)
    started = Family("process_start_time_seconds", "gauge", "When the engine started, in seconds since 1970.")
    started.add(round(_STARTED, 3))
    return [cpu, opened, started]


async def _sample(backend: Backend, summary: ContainerSummary) -> Sampled | None:
    samples = backend.containers.stats(summary.get("Id") or "", stream=False, one_shot=True)
    try:
        async with closing(samples):
            async for stats in samples:
                return summary, stats
    except WharfError:  # it has ended since it was listed
        return None
    return None


async def page(backend: Backend) -> str:
    """Return all figures as Prometheus reads them."""
    running = await backend.containers.list(all=False, limit=None, size=False, filters={})
    sampled = await asyncio.gather(*(_sample(backend, summary) for summary in running))
    families = engine_families(await backend.system.info(), {**await backend.system.version()})
    families += measured_families(await backend.system.measures())
    families += container_families([each for each in sampled if each is not None])
    return "".join(f"{line}\n" for family in families for line in family.lines())


async def _metrics(call: Call) -> web.StreamResponse:
    headers = {**HEADERS, "Content-Type": _CONTENT_TYPE}
    return web.Response(body=(await page(call.backend)).encode(), headers=headers)


ROUTES = (Route("GET", "/metrics", _metrics),)
