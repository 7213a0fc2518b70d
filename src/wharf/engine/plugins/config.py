"""A plugin's configuration: read, what it asks for, and what it is set to before anybody has set anything. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.spelling import respelling
from wharf.spec.engine_api.plugin import PluginConfig, PluginPrivilege, PluginSettings

_NETWORKS: Final = ("", "null", "none", "bridge", "host")
_SOCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
COLLECTOR: Final = "metricscollector"
_FIGURES: Final = "/run/docker"  # where a metrics plugin finds its socket
_SERVED: Final = frozenset({"authz", "ipamdriver", "logdriver", COLLECTOR, "networkdriver", "volumedriver"})
"""The kinds of plugins that somebody here asks for anything."""


def read_config(raw: bytes) -> PluginConfig:
    """Return the configuration that ``raw``, JSON, spells; the case of names does not matter, as with Docker.

    Raises:
        InvalidArgument: it is not JSON, of another shape, or names a socket that is a path.
    """
    try:
        decoded = respelling(PluginConfig)(msgspec.json.decode(raw))
        config = msgspec.convert(decoded, PluginConfig)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidArgument(f"the plugin's config.json is malformed: {error}") from error
    socket = (config.get("Interface") or {}).get("Socket") or ""
    if not _SOCKET.fullmatch(socket):
        raise InvalidArgument(f"the plugin's config.json names no socket: {socket!r}")
    return _whole(config)


def _whole(config: PluginConfig) -> PluginConfig:
    """Return a configuration with all of its fields, as the API shows it."""
    arguments, linux = config.get("Args") or {}, config.get("Linux") or {}
    interface = config.get("Interface") or {}
    return {
        **config,
        "Args": {
            "Description": arguments.get("Description") or "",
            "Name": arguments.get("Name") or "",
            "Settable": arguments.get("Settable"),
            "Value": arguments.get("Value"),
        },
        "Description": config.get("Description") or "",
        "Documentation": config.get("Documentation") or "",
        "Entrypoint": config.get("Entrypoint"),
        "Env": [
            {
                "Description": one.get("Description") or "",
                "Name": one.get("Name") or "",
                "Settable": one.get("Settable"),
                "Value": one.get("Value"),
            }
            for one in config.get("Env") or []
        ],
        "Interface": {**interface, "Socket": interface.get("Socket") or "", "Types": interface.get("Types") or []},
        "IpcHost": bool(config.get("IpcHost")),
        "Linux": {
            "AllowAllDevices": bool(linux.get("AllowAllDevices")),
            "Capabilities": linux.get("Capabilities"),
            "Devices": [
                {
                    "Description": one.get("Description") or "",
                    "Name": one.get("Name") or "",
                    "Path": one.get("Path"),
                    "Settable": one.get("Settable"),
                }
                for one in linux.get("Devices") or []
            ],
        },
        "Mounts": [
            {
                "Description": one.get("Description") or "",
                "Destination": one.get("Destination") or "",
                "Name": one.get("Name") or "",
                "Options": one.get("Options"),
                "Settable": one.get("Settable"),
                "Source": one.get("Source"),
                "Type": one.get("Type") or "",
            }
            for one in config.get("Mounts") or []
        ],
        "Network": {"Type": (config.get("Network") or {}).get("Type") or ""},
        "PidHost": bool(config.get("PidHost")),
        "PropagatedMount": config.get("PropagatedMount") or "",
        "User": config.get("User") or {},
        "WorkDir": config.get("WorkDir") or "",
    }


def defaults(config: PluginConfig) -> PluginSettings:
    """Return the settings of a plugin that nobody has set anything of."""
    return {
        "Args": [*((config.get("Args") or {}).get("Value") or [])],
        "Devices": [*((config.get("Linux") or {}).get("Devices") or [])],
        "Env": [
            f"{one.get('Name')}={one['Value']}" for one in config.get("Env") or [] if one.get("Value") is not None
        ],
        "Mounts": [*(config.get("Mounts") or [])],
    }


def privileges(config: PluginConfig) -> list[PluginPrivilege]:
    """Return what a plugin wants beyond what every container has, in Docker's words and order."""
    linux = config.get("Linux") or {}
    network = (config.get("Network") or {}).get("Type") or ""
    sources = [source for mount in config.get("Mounts") or [] if (source := mount.get("Source"))]
    paths = [path for device in linux.get("Devices") or [] if (path := device.get("Path"))]
    wanted: list[tuple[str, str, list[str]]] = [
        ("network", "permissions to access a network", [network] if network not in ("", "null", "bridge") else []),
        ("host ipc namespace", "allow access to host ipc namespace", _true(config.get("IpcHost"))),
        ("host pid namespace", "allow access to host pid namespace", _true(config.get("PidHost"))),
        *(("mount", "host path to mount", [source]) for source in sources),
        *(("device", "host device to access", [path]) for path in paths),
        ("allow-all-devices", "allow 'rwm' access to all devices", _true(linux.get("AllowAllDevices"))),
        ("capabilities", "list of additional capabilities required", linux.get("Capabilities") or []),
    ]
    return [{"Name": name, "Description": text, "Value": value} for name, text, value in wanted if value]


def _true(given: bool | None) -> list[str]:  # noqa: FBT001  # what is shown of it
    return ["true"] if given else []


def granted(config: PluginConfig, given: Sequence[PluginPrivilege]) -> bool:
    """Return whether exactly what a plugin wants was granted; the order, and descriptions, do not count."""

    def plain(one: PluginPrivilege) -> tuple[str, list[str]]:
        return one.get("Name") or "", sorted(one.get("Value") or [])

    return sorted(map(plain, given)) == sorted(map(plain, privileges(config)))


def capabilities(config: PluginConfig) -> frozenset[str]:
    """Return the kinds of a plugin: ``volumedriver`` for the type ``docker.volumedriver/1.0``."""
    types = (config.get("Interface") or {}).get("Types") or []
    return frozenset(one.partition("/")[0].rpartition(".")[2] for one in types)


def require_runnable(config: PluginConfig) -> None:
    """Refuse to run what nobody here would ask for anything, or what it would run without.

    Raises:
        NotImplementedHere: which.
        InvalidArgument: there is no program.
    """
    if unserved := sorted(capabilities(config) - _SERVED):
        raise NotImplementedHere(
            f"plugins of the type {', '.join(unserved)} are not supported by this build of wharf: "
            f"those that are: {', '.join(sorted(_SERVED))}"
        )
    scheme = (config.get("Interface") or {}).get("ProtocolScheme") or ""
    if scheme not in ("", "moby.plugins.http/v1"):
        raise NotImplementedHere(f"plugins that speak {scheme} are not supported by this build of wharf")
    network = (config.get("Network") or {}).get("Type") or ""
    if network not in _NETWORKS:
        raise InvalidArgument(f"the plugin's network is of the unknown type {network!r}")
    if COLLECTOR in capabilities(config) and (config.get("PropagatedMount") or "").rstrip("/") != _FIGURES:
        raise InvalidArgument(f"a metrics plugin's PropagatedMount must be {_FIGURES}: their socket is there")
    if not config.get("Entrypoint"):
        raise InvalidArgument("the plugin's config.json has no entrypoint")
