"""docker version, info, events and system df."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path

from wharf.engine.check import check
from wharf.engine.containers.vendor_devices import discover
from wharf.engine.context import Context
from wharf.engine.disk_usage import KINDS, Listing, Results, disk_usage
from wharf.engine.events import FILTERS
from wharf.engine.logs.options import FILE_DRIVERS, REMOTE_DRIVERS
from wharf.engine.ocispec.inputs import HostFacts
from wharf.images.check import Depth, Finding
from wharf.images.registry.hosts import RegistryOptions
from wharf.lib.filters import require_known
from wharf.lib.logins import without_login
from wharf.lib.measures import Measures
from wharf.lib.moments import parse_moment, to_ns
from wharf.lib.reference import DEFAULT_DOMAIN
from wharf.lib.version import API_VERSION, MIN_API_VERSION, __version__
from wharf.spec.engine_api.system import DiskUsage, EventMessage, SystemVersion

_LIMITS = {
    "MemoryLimit": "memory",
    "SwapLimit": "memory",
    "CpuCfsPeriod": "cpu",
    "CpuCfsQuota": "cpu",
    "CPUShares": "cpu",
    "CPUSet": "cpuset",
    "PidsLimit": "pids",
}
_LIMIT_WARNINGS = {
    "memory": "WARNING: No memory limit support",
    "cpu": "WARNING: No cpu cfs quota support",
    "cpuset": "WARNING: No cpuset support",
    "pids": "WARNING: No pids limit support",
    "blkio": "WARNING: No blkio throttle support",
    "freezer": "WARNING: No freezer support: containers cannot be paused",
}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """Return this machine's architecture in Go's words."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


class System:
    """The engine as a whole."""

    def __init__(self, context: Context, containers: Listing, builds: Results) -> None:
        self._context = context
        self._containers = containers
        self._builds = builds

    @property
    def experimental(self) -> bool:
        """Whether clients shall show commands that Docker calls experimental."""
        return self._context.options.experimental

    async def measures(self) -> Measures:
        """Return what this engine has counted and timed since it started (GET /metrics)."""
        self._context.measures.counts["events"] = self._context.events.published
        return self._context.measures

    async def version(self) -> SystemVersion:
        """Return what runs here (GET /version)."""
        details = {
            "ApiVersion": API_VERSION,
            "MinAPIVersion": MIN_API_VERSION,
            "Arch": architecture(),
            "Os": "linux",
            "KernelVersion": platform.release(),
        }
        return {
            "Platform": {"Name": "Wharf"},
            "Components": [
                {
                    "Name": "Engine",
                    "Version": __version__,
                    "Details": {**details, "Experimental": str(self.experimental).lower()},
                }
            ],
            "Version": __version__,
            "ApiVersion": API_VERSION,
            "MinAPIVersion": MIN_API_VERSION,
            "GitCommit": "",
            "GoVersion": f"python{platform.python_version()}",
            "Os": "linux",
            "Arch": architecture(),
            "KernelVersion": platform.release(),
            "BuildTime": "",
        }

    async def info(self) -> dict[str, object]:
        """Return what the engine holds and can do (GET /info)."""
        context, options = self._context, self._context.options
        states = [container.state for container in context.registry]
        devices, broken = await asyncio.to_thread(discover, options.device_folders)
        running = sum(state.status == "running" for state in states)
        paused = sum(state.status == "paused" for state in states)
        return {
            "ID": context.data.key,
            "Containers": len(states),
            "ContainersRunning": running,
            "ContainersPaused": paused,
            "ContainersStopped": len(states) - running - paused,
            "Images": await context.images.count(),
            "Driver": context.snapshots.roots.name,
            "DriverStatus": [["Backing Filesystem", _filesystem(context.data.path)], ["Supports d_type", "true"]],
            "Plugins": {
                "Volume": ["local"],
                "Network": context.networks.drivers,
                "Authorization": [*options.authorization] or None,
                "Log": sorted((*FILE_DRIVERS, *REMOTE_DRIVERS, "none")),
            },
            **_limits(context.facts),
            "Debug": options.debug,
            "NFd": len(os.listdir("/proc/self/fd")),
            "NGoroutines": threading.active_count() + len(asyncio.all_tasks()),
            "SystemTime": context.clock.now(),
            "LoggingDriver": options.containers.log_driver or "json-file",
            "CgroupDriver": context.options.cgroup_driver if context.facts.controllers else "none",
            "CgroupVersion": "2" if context.facts.cgroup2 else "1",
            "NEventsListener": context.events.listeners,
            "KernelVersion": platform.release(),
            "OperatingSystem": _operating_system(),
            "OSVersion": "",
            "OSType": "linux",
            "Architecture": platform.machine(),
            "NCPU": context.facts.cpus,
            "MemTotal": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
            "DockerRootDir": str(context.data.path),
            "Name": socket.gethostname(),
            "Labels": [*options.labels],
            "ExperimentalBuild": self.experimental,
            "ServerVersion": __version__,
            "Runtimes": context.options.runtimes.shown(),
            "DefaultRuntime": context.options.runtimes.default,
            "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": False},
            "LiveRestoreEnabled": True,
            "Isolation": "",
            "InitBinary": "",
            "SecurityOptions": _security(context),
            "IndexServerAddress": "https://index.docker.io/v1/",
            "RegistryConfig": _registries(options.registries),
            "HttpProxy": without_login(_proxy(options.registries.http_proxy, "HTTP_PROXY")),
            "HttpsProxy": without_login(_proxy(options.registries.https_proxy, "HTTPS_PROXY")),
            "NoProxy": _proxy(options.registries.no_proxy, "NO_PROXY"),
            "GenericResources": None,
            "DefaultAddressPools": [{"Base": pool.base, "Size": pool.size} for pool in options.networks.pools],
            "FirewallBackend": {"Driver": "nftables", "Info": None},
            "CDISpecDirs": [str(folder) for folder in options.device_folders],
            "DiscoveredDevices": [{"Source": "cdi", "ID": name} for name in devices],
            "ContainerdCommit": {"ID": ""},
            "RuncCommit": {"ID": ""},
            "InitCommit": {"ID": ""},
            "ProductLicense": "",
            "Warnings": [*_warnings(context), *(f"CDI: {fault}" for fault in broken)],
        }

    def events(
        self, *, since: str | None = None, until: str | None = None, filters: Mapping[str, list[str]] | None = None
    ) -> AsyncIterator[EventMessage]:
        """Yield events (GET /events); times as :mod:`wharf.lib.moments` reads them.

        Raises:
            InvalidArgument: a filter is unknown, or a time is malformed.
        """
        require_known(filters or {}, FILTERS)
        now_ns = to_ns(self._context.clock.now())
        # Unlike for logs, 0 is a moment: events since 0 are all there are.
        since_ns = parse_moment(since, now_ns=now_ns) if since else None
        until_ns = parse_moment(until, now_ns=now_ns) if until else None
        if until_ns is not None and since_ns is None:
            since_ns = now_ns
        return self._context.events.subscribe(since_ns=since_ns, until_ns=until_ns, filters=filters or {})

    async def check(self, *, quick: bool = False, repair: bool = False) -> AsyncIterator[dict[str, object]]:
        """Yield what is wrong with what is stored, as it is found; last how much of it there is.

        Args:
            quick: only look what is there, and how large: bytes are not read.
            repair: mend what can be mended without losing anything that is good.
        """
        counts: Counter[str] = Counter()
        async with aclosing(check(self._context, Depth(quick=quick, repair=repair))) as findings:
            async for finding in findings:
                counts[_weight(finding)] += 1
                yield asdict(finding)
        yield {"problems": counts["problem"], "repaired": counts["repaired"], "garbage": counts["harmless"]}

    async def disk_usage(self, kinds: Collection[str] = KINDS) -> dict[str, DiskUsage]:
        """Return what takes space (GET /system/df): a DiskUsage for each kind."""
        return await disk_usage(self._context, self._containers, self._builds, kinds)


def _weight(finding: Finding) -> str:
    return "repaired" if finding.repaired else "harmless" if finding.harmless else "problem"


def _limits(facts: HostFacts) -> dict[str, bool]:
    both = {name: controller in facts.controllers for name, controller in _LIMITS.items()}
    return {
        **both,
        "OomKillDisable": "memory" in facts.controllers and not facts.cgroup2,
        "IPv4Forwarding": _forwards(),
    }


def _registries(options: RegistryOptions) -> dict[str, object]:
    """Return RegistryServiceConfig: Docker Hub with its mirrors, and whom to trust without TLS."""
    mirrors = [f"{mirror.rstrip('/')}/" for mirror in options.mirrors.get(DEFAULT_DOMAIN, ())]
    hosts = [each for each in options.insecure if "/" not in each]
    indexes = {host: {"Name": host, "Mirrors": [], "Secure": False, "Official": False} for host in hosts}
    hub = {"Name": "docker.io", "Mirrors": mirrors, "Secure": True, "Official": True}
    return {
        "IndexConfigs": {**indexes, "docker.io": hub},
        "InsecureRegistryCIDRs": [*(each for each in options.insecure if "/" in each), "::1/128", "127.0.0.0/8"],
        "Mirrors": mirrors,
    }


def _proxy(own: str, variable: str) -> str:
    """Return what holds of proxies: the option, else what registries are asked by, the environment."""
    return own or os.environ.get(variable) or os.environ.get(variable.lower(), "")


def _security(context: Context) -> list[str]:
    """Return what keeps containers in, as SecurityOptions spells it."""
    facts = context.facts
    profile = context.options.containers.seccomp_profile
    shown = "unconfined" if profile == "unconfined" else "custom" if profile else "builtin"
    seccomp = [f"name=seccomp,profile={shown}"] if facts.seccomp else []
    return [
        *(["name=apparmor"] if facts.apparmor else []),
        *seccomp,
        *(["name=userns"] if context.remapping else []),
        *(["name=rootless"] if facts.rootless else []),
        *(["name=cgroupns"] if facts.cgroup2 else []),
    ]


def _warnings(context: Context) -> list[str]:
    """Return what this machine lacks, as clients show it."""
    facts = context.facts
    lacks = [] if facts.seccomp else ["WARNING: No seccomp support"]
    lacks += [text for name, text in _LIMIT_WARNINGS.items() if name not in facts.controllers]
    return [*lacks, *(f"WARNING: rootless: no {lack}" for lack in (facts.world["lacks"] if facts.world else ()))]


def _forwards() -> bool:
    return Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == "1"


def _operating_system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _filesystem(path: Path) -> str:
    """Return the type of the filesystem that ``path`` is on (proc(5), /proc/self/mountinfo)."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[2] == number:
            return fields[fields.index("-") + 1]
    return "unknown"
