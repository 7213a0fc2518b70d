"""config.json of a plugin: a container without a filter of system calls, with what its configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wharf.engine.ocispec.build import build
from wharf.engine.ocispec.inputs import HostFacts, Inputs, Joined, ResolvedMount
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.engine_api.plugin import PluginConfig, PluginMount, PluginSettings
from wharf.spec.oci_runtime import Device, Mount, Spec

SOCKETS: Final = "/run/docker/plugins"
"""Where a plugin makes its socket."""
STREAMS: Final = "/run/docker/logging"
"""Where a log plugin finds what it is to read."""


@dataclass(frozen=True, slots=True)
class PluginInputs:
    """Everything :func:`of_plugin` looks at."""

    plugin_id: str
    config: PluginConfig
    settings: PluginSettings
    bundle: Path  # hosts, hostname, resolv.conf
    sockets: Path  # what is at :data:`SOCKETS`
    propagated: Path  # what its PropagatedMount is
    cgroups_path: str
    devices: list[Device]  # of :func:`host_config`
    facts: HostFacts
    streams: Path | None = None  # what is at :data:`STREAMS`, for a log plugin


def host_config(config: PluginConfig, settings: PluginSettings) -> HostConfig:
    """Return how a plugin is confined, in the words of containers."""
    linux = config.get("Linux") or {}
    host: HostConfig = {
        "CapAdd": linux.get("Capabilities") or [],
        "SecurityOpt": ["seccomp=unconfined"],
        "NetworkMode": "host" if shares_network(config) else "none",
        "Devices": [
            {"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"}
            for device in settings["Devices"]
            if (path := device.get("Path"))
        ],
    }
    if linux.get("AllowAllDevices"):
        host["DeviceCgroupRules"] = ["a *:* rwm"]
    if config.get("PidHost"):
        host["PidMode"] = "host"
    if config.get("IpcHost"):
        host["IpcMode"] = "host"
    return host


def shares_network(config: PluginConfig) -> bool:
    """Return whether a plugin is in the host's network; else it has one of its own, with nothing in it."""
    return (config.get("Network") or {}).get("Type") == "host"


def of_plugin(inputs: PluginInputs) -> Spec:
    """Return the config.json of a plugin (runtime-spec config.md), whose root is ``rootfs`` in its bundle."""
    config, settings = inputs.config, inputs.settings
    spec = build(
        Inputs(
            container_id=inputs.plugin_id,
            name=inputs.plugin_id,
            config={
                "Env": settings["Env"],
                "WorkingDir": config.get("WorkDir") or "",
                "User": _user(config),
            },
            host_config=host_config(config, settings),
            argv=[*(config.get("Entrypoint") or []), *settings["Args"]],
            hostname=inputs.plugin_id[:12],
            folder=inputs.bundle,
            cgroups_path=inputs.cgroups_path,
            sandbox="" if shares_network(config) else None,
            mounts=_own_mounts(inputs),
            devices=inputs.devices,
            joined=Joined(),
            facts=inputs.facts,
        )
    )
    spec["root"]["path"] = "rootfs"
    asked = [mount for one in settings["Mounts"] if (mount := _asked(one))]
    taken = {one["destination"] for one in asked}
    spec["mounts"] = [*(one for one in spec["mounts"] if one["destination"] not in taken), *asked]
    return spec


def _user(config: PluginConfig) -> str:
    user = config.get("User") or {}
    return f"{user.get('UID') or 0}:{user.get('GID') or 0}" if user else ""


def _own_mounts(inputs: PluginInputs) -> list[ResolvedMount]:
    mounts = [ResolvedMount("bind", str(inputs.sockets), SOCKETS)]
    if inputs.streams:  # read-only: what is opened there is what the engine has made
        mounts.append(ResolvedMount("bind", str(inputs.streams), STREAMS, read_only=True))
    if target := inputs.config.get("PropagatedMount"):
        mounts.append(ResolvedMount("bind", str(inputs.propagated), target, propagation="rshared"))
    return mounts


def _asked(mount: PluginMount) -> Mount | None:
    """Return a mount of the configuration, in the runtime's words already; None for one that was set to nothing."""
    if mount.get("Source") == "":
        return None
    return {
        "destination": mount.get("Destination") or "",
        "type": mount.get("Type") or "bind",
        "source": mount.get("Source") or "",
        "options": [*(mount.get("Options") or [])],
    }
