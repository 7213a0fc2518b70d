"""What an engine is told once for all containers: defaults, registries, networks. Pure data.

The verbs read :attr:`wharf.engine.context.Context.options` each time they need one, so that an engine can be given
others while it runs (:meth:`wharf.engine.engine.Engine.reload`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wharf.engine.runtimes import Runtimes
from wharf.images.registry.hosts import RegistryOptions
from wharf.lib.remap import Remap
from wharf.network.defaults import NetworkDefaults
from wharf.network.driver import Drivers
from wharf.spec.engine_api.container import HostConfig, HostConfigUlimitsItem

KEPT_BUILDS_BYTES: Final = 20 << 30
BUILD_RECORDS: Final = 50
DEVICE_FOLDERS: Final = (Path("/etc/cdi"), Path("/var/run/cdi"))
"""Where vendors describe devices; a later one's file wins over an earlier one's (CDI, SPEC.md, "Locations")."""


@dataclass(frozen=True, slots=True)
class ContainerDefaults:
    """What a create request that does not say gets."""

    log_driver: str = ""  # empty: json-file
    log_options: Mapping[str, str] = field(default_factory=dict)
    shm_size_bytes: int = 0  # 0: 64 MiB
    storage_size: str = ""  # of the container's own layer; empty: no limit
    ulimits: tuple[HostConfigUlimitsItem, ...] = ()
    ipc_mode: str = ""  # empty: private
    cgroupns_mode: str = ""  # empty: private on cgroup v2, host on v1
    cgroup_parent: str = ""  # empty: the engine's own
    no_new_privileges: bool = False
    init: bool = False  # an init that reaps processes
    init_path: str = ""  # its program; empty: the first of the usual ones that the host has
    seccomp_profile: str = ""  # a profile's JSON or "unconfined"; empty: the built-in one
    stop_timeout_s: int | None = None  # None: 10
    dns: tuple[str, ...] = ()  # empty: the host's
    dns_options: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()

    def fill(self, host: HostConfig, *, cgroup2: bool = False) -> HostConfig:
        """Return ``host`` with these defaults where it leaves something open.

        On cgroup v1 (not ``cgroup2``) a privileged container sees the host's control groups, as Docker's do.
        """
        if self == _NOTHING:
            return host
        filled: HostConfig = {**host}
        if not (host.get("LogConfig") or {}).get("Type"):
            own = (host.get("LogConfig") or {}).get("Config") or {}
            filled["LogConfig"] = {"Type": self.log_driver, "Config": {**self.log_options, **own}}
        if self.storage_size and not (host.get("StorageOpt") or {}).get("size"):
            filled["StorageOpt"] = {**(host.get("StorageOpt") or {}), "size": self.storage_size}
        if self.init and host.get("Init") is None:
            filled["Init"] = True
        filled["ShmSize"] = host.get("ShmSize") or self.shm_size_bytes or None
        filled["IpcMode"] = host.get("IpcMode") or self.ipc_mode
        of_the_host = host.get("Privileged") and not cgroup2
        filled["CgroupnsMode"] = host.get("CgroupnsMode") or ("" if of_the_host else self.cgroupns_mode)
        filled["CgroupParent"] = host.get("CgroupParent") or self.cgroup_parent
        filled["Dns"] = host.get("Dns") or [*self.dns]
        filled["DnsOptions"] = host.get("DnsOptions") or [*self.dns_options]
        filled["DnsSearch"] = host.get("DnsSearch") or [*self.dns_search]
        named = {limit.get("Name") for limit in host.get("Ulimits") or []}
        filled["Ulimits"] = [
            *(host.get("Ulimits") or []),
            *(limit for limit in self.ulimits if limit.get("Name") not in named),
        ]
        if self.no_new_privileges and not _says(host, "no-new-privileges"):
            filled["SecurityOpt"] = [*(filled.get("SecurityOpt") or []), "no-new-privileges"]
        if self.seccomp_profile and not _says(host, "seccomp") and not host.get("Privileged"):
            filled["SecurityOpt"] = [*(filled.get("SecurityOpt") or []), f"seccomp={self.seccomp_profile}"]
        return {name: value for name, value in filled.items() if value or name in host}  # type: ignore[return-value]


def _says(host: HostConfig, option: str) -> bool:
    return any(each.replace(":", "=").partition("=")[0] == option for each in host.get("SecurityOpt") or [])


_NOTHING = ContainerDefaults()


@dataclass(frozen=True, slots=True)
class BuildRule:
    """Which results of builds go by themselves: those of its filters, and only while there is more than may be."""

    reserved_bytes: int = 0  # so much stays
    most_bytes: int = 0
    free_bytes: int = 0  # of the disk, are to be free
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # as builder prune has them


BUILD_RULES: Final = (BuildRule(filters={"unused-for": ("720h",)}), BuildRule(KEPT_BUILDS_BYTES))
"""What was not used for thirty days goes, and the least recently used of what is too much."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Everything an engine can be told."""

    labels: tuple[str, ...] = ()  # key=value, shown by info
    debug: bool = False  # shown by info
    experimental: bool = False  # told to clients, some of which show commands only then
    cgroup_driver: str = "cgroupfs"  # or "systemd": it makes containers' control groups
    userns_remap: str | Remap = ""  # whose ids containers' users are: see wharf.engine.remap.find
    storage_driver: str = ""  # overlay2, vfs, fuse-overlayfs or btrfs; empty: the fastest that works
    build_rules: tuple[BuildRule, ...] | None = BUILD_RULES  # None: results of builds are kept for good
    build_records: int = BUILD_RECORDS  # of builds that have ended, besides pinned ones
    build_records_ns: int = 0  # how old the others are before they go; 0: any
    device_folders: tuple[Path, ...] = DEVICE_FOLDERS
    entitlements: frozenset[str] = frozenset({"network.host"})  # what clients may grant to their builds
    authorization: tuple[str, ...] = ()  # plugins that are asked about each request to the API
    open_files: int | None = None  # that containers' processes may have, softly; None: as many as this one
    runtimes: Runtimes = Runtimes({})  # noqa: RUF009  # frozen
    containers: ContainerDefaults = field(default_factory=ContainerDefaults)
    registries: RegistryOptions = field(default_factory=RegistryOptions)
    networks: NetworkDefaults = field(default_factory=NetworkDefaults)
    network_drivers: Drivers = field(default_factory=dict)  # of an embedding program's own; see wharf.network.driver
