"""docker inspect and ps: a record as the Engine API shows it. Pure but for sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

from wharf.engine.containers.endpoints import idle_settings, shown
from wharf.engine.containers.forward import driver_of
from wharf.engine.containers.record import Container
from wharf.engine.containers.state import State
from wharf.engine.ocispec.security import masked_paths, readonly_paths, security_options
from wharf.engine.runtimes import DEFAULT as DEFAULT_RUNTIME
from wharf.lib.durations import human_duration
from wharf.lib.timestamps import ZERO as NEVER
from wharf.network.endpoint import Endpoint
from wharf.spec.engine_api.container import (
    ContainerConfig,
    ContainerInspectResponse,
    ContainerState,
    ContainerSummary,
    HostConfig,
    NetworkSettings,
    PortBinding,
    PortSummary,
)

_Hidden = Literal["MaskedPaths", "ReadonlyPaths"]
_HOST_DEFAULTS: Final[HostConfig] = {
    "Binds": None, "ContainerIDFile": "", "PortBindings": None, "AutoRemove": False, "VolumeDriver": "",
    "VolumesFrom": None, "ConsoleSize": [0, 0], "CapAdd": None, "CapDrop": None, "CgroupnsMode": "host",
    "Dns": None, "DnsOptions": None, "DnsSearch": None, "ExtraHosts": None, "GroupAdd": None, "Cgroup": "",
    "Links": None, "OomScoreAdj": 0, "PidMode": "", "Privileged": False, "PublishAllPorts": False,
    "ReadonlyRootfs": False, "SecurityOpt": None, "UTSMode": "", "UsernsMode": "", "Runtime": DEFAULT_RUNTIME,
    "Isolation": "", "CpuShares": 0, "Memory": 0, "NanoCpus": 0, "CgroupParent": "", "BlkioWeight": 0,
    "BlkioWeightDevice": None, "BlkioDeviceReadBps": None, "BlkioDeviceWriteBps": None, "BlkioDeviceReadIOps": None,
    "BlkioDeviceWriteIOps": None, "CpuPeriod": 0, "CpuQuota": 0, "CpuRealtimePeriod": 0, "CpuRealtimeRuntime": 0,
    "CpusetCpus": "", "CpusetMems": "", "Devices": None, "DeviceCgroupRules": None, "DeviceRequests": None,
    "MemoryReservation": 0, "MemorySwap": 0, "MemorySwappiness": None, "OomKillDisable": False,
    "PidsLimit": None, "Ulimits": None, "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0,
}  # fmt: skip

_CONFIG_DEFAULTS: Final[ContainerConfig] = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False, "AttachStderr": False,
    "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": None, "Cmd": None, "Image": "", "Volumes": None,
    "WorkingDir": "", "Entrypoint": None, "OnBuild": None, "Labels": {},
}  # fmt: skip
"""What clients read without asking whether it is there: Docker always answers it, whatever the request had."""

_CONFIG_SILENT: Final = frozenset(
    {"ExposedPorts", "ArgsEscaped", "NetworkDisabled", "MacAddress", "StopSignal", "Shell"}
)
_HOST_SILENT: Final = frozenset({"StorageOpt", "Tmpfs", "Sysctls", "Mounts", "Annotations"})
"""What is not told when there is nothing to tell: what the definition's Go types call omitempty."""

_NOTHING: Final[tuple[object, ...]] = (None, False, "", [], {})
_ITEM_DEFAULTS: Final[dict[str, dict[str, object]]] = {
    "BlkioWeightDevice": {"Path": "", "Weight": 0},
    "BlkioDeviceReadBps": {"Path": "", "Rate": 0},
    "BlkioDeviceWriteBps": {"Path": "", "Rate": 0},
    "BlkioDeviceReadIOps": {"Path": "", "Rate": 0},
    "BlkioDeviceWriteIOps": {"Path": "", "Rate": 0},
    "Devices": {"PathOnHost": "", "PathInContainer": "", "CgroupPermissions": ""},
    "DeviceRequests": {"Driver": "", "Count": 0, "DeviceIDs": None, "Capabilities": None, "Options": None},
    "Ulimits": {"Name": "", "Hard": 0, "Soft": 0},
}
"""What the items of HostConfig's lists have, whatever the request had."""


def inspect(
    container: Container,
    *,
    folder: Path,
    lower: list[Path],
    endpoints: list[Endpoint],
    live_execs: list[str],
    driver: str = "overlay2",
    networks: Mapping[str, str] = MappingProxyType({}),
) -> ContainerInspectResponse:
    """Return all of a container (GET /containers/{id}/json)."""
    spec = container.spec
    return {
        "Id": container.id,
        "Created": container.created_at,
        "Path": spec.path,
        "Args": spec.args,
        "State": state_document(container.state),
        "Image": container.image_id,
        "ResolvConfPath": str(folder / "resolv.conf"),
        "HostnamePath": str(folder / "hostname"),
        "HostsPath": str(folder / "hosts"),
        "LogPath": str(folder / f"{container.id}-json.log") if driver_of(container)[0] == "json-file" else "",
        "Name": f"/{container.name}",
        "RestartCount": container.state.restart_count,
        "Driver": driver,
        "Platform": spec.platform,
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": security_options(spec.host_config).get("apparmor", ""),
        "ExecIDs": live_execs or None,
        "HostConfig": _host_config(spec.host_config),
        "GraphDriver": {"Name": driver, "Data": _graph(folder, lower) if "overlay" in driver else {}},
        "Mounts": spec.mounts,
        "Config": cast("ContainerConfig", {**_CONFIG_DEFAULTS, **_told(spec.config, _CONFIG_SILENT)}),
        "NetworkSettings": network_settings(container, endpoints, networks),
    }


def _hidden(host: HostConfig, field: _Hidden, shown: Callable[[HostConfig], list[str]]) -> list[str] | None:
    """Return the paths that hold; none of a privileged container that was given none, as Docker shows it."""
    return None if host.get("Privileged") and host.get(field) is None else shown(host)


def _host_config(asked: HostConfig) -> HostConfig:
    shown: dict[str, object] = {**_HOST_DEFAULTS, **_told(asked, _HOST_SILENT)}
    for field, defaults in _ITEM_DEFAULTS.items():
        if items := dict(asked).get(field):
            shown[field] = [{**defaults, **item} for item in cast("list[dict[str, object]]", items)]
    if bindings := asked.get("PortBindings"):
        shown["PortBindings"] = {
            port: [{"HostIp": "", "HostPort": "", **binding} for binding in bound] if bound is not None else None
            for port, bound in bindings.items()
        }
    shown["Runtime"] = asked.get("Runtime") or DEFAULT_RUNTIME
    shown["ConsoleSize"] = [*(asked.get("ConsoleSize") or []), 0, 0][:2]
    shown["MaskedPaths"] = _hidden(asked, "MaskedPaths", masked_paths)
    shown["ReadonlyPaths"] = _hidden(asked, "ReadonlyPaths", readonly_paths)
    return cast("HostConfig", shown)


def _told(document: ContainerConfig | HostConfig, silent: frozenset[str]) -> dict[str, object]:
    return {name: value for name, value in document.items() if value not in _NOTHING or name not in silent}


def state_document(state: State) -> ContainerState:
    """Return the State part."""
    document: ContainerState = {
        "Status": "exited" if state.status == "dead" else state.status,
        "Running": state.alive or state.status == "restarting",
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": state.oom_killed,
        "Dead": state.status == "dead",
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": state.started_at,
        "FinishedAt": state.finished_at,
    }
    if state.health:
        document["Health"] = {
            "Status": state.health.status,
            "FailingStreak": state.health.failing_streak,
            "Log": [
                {"Start": r.start, "End": r.end, "ExitCode": r.exit_code, "Output": r.output}
                for r in state.health.log
            ],
        }
    return document


def _graph(folder: Path, lower: list[Path]) -> dict[str, str]:
    return {
        "LowerDir": ":".join(map(str, lower)),
        "MergedDir": str(folder / "rootfs"),
        "UpperDir": str(folder / "upper"),
        "WorkDir": str(folder / "work"),
    }


def network_settings(
    container: Container, endpoints: list[Endpoint], known: Mapping[str, str] = MappingProxyType({})
) -> NetworkSettings:
    """Return the NetworkSettings part; the default bridge's values stand at the top too, as they always have.

    ``known`` has the ids of networks by name.
    """
    networks = shown(container, endpoints, known)
    settings: dict[str, object] = {
        "Bridge": "",
        "SandboxID": container.id if endpoints else "",
        "SandboxKey": str(endpoints[0].sandbox) if endpoints else "",
        "Ports": ports_document(container, endpoints),
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "Networks": networks,
    }
    first = networks.get("bridge") or idle_settings()
    for key in (
        "EndpointID", "Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPAddress", "IPPrefixLen",
        "IPv6Gateway", "MacAddress",
    ):  # fmt: skip
        settings[key] = first.get(key)
    return cast("NetworkSettings", settings)


def ports_document(container: Container, endpoints: Iterable[Endpoint]) -> dict[str, list[PortBinding] | None]:
    """Return NetworkSettings.Ports: every exposed port, with where it is published."""
    if not container.state.alive:
        return {}
    ports: dict[str, list[PortBinding] | None] = dict.fromkeys(container.spec.config.get("ExposedPorts") or {})
    for endpoint in endpoints:
        for port in endpoint.ports:
            key = f"{port.container_port}/{port.protocol}"
            bound = ports.get(key) or []
            ports[key] = [*bound, {"HostIp": port.host_ip, "HostPort": str(port.host_port)}]
    return ports


def summary(
    container: Container,
    *,
    names: list[str],
    now: datetime,
    image: str,
    endpoints: list[Endpoint],
    networks: Mapping[str, str] = MappingProxyType({}),
) -> ContainerSummary:
    """Return a container's line in a list (GET /containers/json)."""
    spec, labels = container.spec, container.spec.config.get("Labels") or {}
    return {
        "Id": container.id,
        "Names": names,
        "Image": image,
        "ImageID": container.image_id,
        "Command": " ".join(_quoted(word) for word in [spec.path, *spec.args]),
        "Created": int(datetime.fromisoformat(container.created_at).timestamp()),
        "Ports": _port_summaries(container, endpoints),
        "Labels": labels,
        "State": container.state.status,
        "Status": status_text(container.state, now),
        "HostConfig": {
            "NetworkMode": spec.host_config.get("NetworkMode") or "bridge",
            **({"Annotations": given} if (given := spec.host_config.get("Annotations")) else {}),
        },
        "NetworkSettings": {"Networks": network_settings(container, endpoints, networks).get("Networks")},
        "Mounts": spec.mounts,
    }


def _port_summaries(container: Container, endpoints: Iterable[Endpoint]) -> list[PortSummary]:
    summaries: list[PortSummary] = []
    for key, bindings in ports_document(container, endpoints).items():
        number, _, protocol = key.partition("/")
        private: PortSummary = {"PrivatePort": int(number), "Type": protocol}
        summaries += [
            {"IP": b.get("HostIp") or "", **private, "PublicPort": int(b.get("HostPort") or 0)}
            for b in bindings or []
        ] or [private]
    return summaries


def _quoted(word: str) -> str:
    return f"'{word}'" if any(c.isspace() for c in word) or not word else word


def status_text(state: State, now: datetime) -> str:  # noqa: PLR0911  # one a status
    """Return "Up 3 minutes", "Exited (0) 2 hours ago" …, in Docker's words."""
    match state.status:
        case "created":
            return "Created"
        case "running" | "paused":
            paused = " (Paused)" if state.status == "paused" else ""
            up = f"Up {human_duration(_seconds_since(state.started_at, now))}"
            return f"{up}{paused or _health_text(state)}"
        case "restarting":
            return f"Restarting ({state.exit_code}) {human_duration(_seconds_since(state.finished_at, now))} ago"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
        case _:
            if state.finished_at == NEVER:
                return f"Exited ({state.exit_code})"
            return f"Exited ({state.exit_code}) {human_duration(_seconds_since(state.finished_at, now))} ago"


def _health_text(state: State) -> str:
    if state.health is None:
        return ""
    return " (health: starting)" if state.health.status == "starting" else f" ({state.health.status})"


def _seconds_since(time: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(time)).total_seconds())
