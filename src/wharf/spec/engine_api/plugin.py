"""Plugins as the Engine API spells them; a plugin's config.json has the same fields ("Plugin Config Version 1")."""

from typing import TypedDict

PLUGIN_CONFIG = "application/vnd.docker.plugin.v1+json"
"""The media type of a plugin's configuration in a registry."""


class PluginMount(TypedDict, total=False):
    """PluginMount (Engine API, definitions)."""

    Name: str | None
    Description: str | None
    Settable: list[str] | None
    Source: str | None
    Destination: str | None
    Type: str | None
    Options: list[str] | None


class PluginDevice(TypedDict, total=False):
    """PluginDevice (Engine API, definitions)."""

    Name: str | None
    Description: str | None
    Settable: list[str] | None
    Path: str | None


class PluginEnv(TypedDict, total=False):
    """PluginEnv (Engine API, definitions)."""

    Name: str | None
    Description: str | None
    Settable: list[str] | None
    Value: str | None


class PluginArgs(TypedDict, total=False):
    """PluginConfigArgs (Engine API, definitions)."""

    Name: str | None
    Description: str | None
    Settable: list[str] | None
    Value: list[str] | None


class PluginInterface(TypedDict, total=False):
    """PluginConfigInterface (Engine API, definitions)."""

    Types: list[str] | None
    Socket: str | None
    ProtocolScheme: str | None


class PluginLinux(TypedDict, total=False):
    """PluginConfigLinux (Engine API, definitions)."""

    Capabilities: list[str] | None
    AllowAllDevices: bool | None
    Devices: list[PluginDevice] | None


class PluginNetwork(TypedDict, total=False):
    """PluginConfigNetwork (Engine API, definitions)."""

    Type: str | None


class PluginUser(TypedDict, total=False):
    """PluginConfigUser (Engine API, definitions)."""

    UID: int | None
    GID: int | None


class PluginRootfs(TypedDict, total=False):
    """PluginConfigRootfs (Engine API, definitions)."""

    type: str | None
    diff_ids: list[str] | None


class PluginConfig(TypedDict, total=False):
    """PluginConfig (Engine API, definitions)."""

    Args: PluginArgs | None
    Description: str | None
    DockerVersion: str | None
    Documentation: str | None
    Entrypoint: list[str] | None
    Env: list[PluginEnv] | None
    Interface: PluginInterface | None
    IpcHost: bool | None
    Linux: PluginLinux | None
    Mounts: list[PluginMount] | None
    Network: PluginNetwork | None
    PidHost: bool | None
    PropagatedMount: str | None
    User: PluginUser | None
    WorkDir: str | None
    rootfs: PluginRootfs | None


class PluginSettings(TypedDict):
    """PluginSettings (Engine API, definitions)."""

    Args: list[str]
    Devices: list[PluginDevice]
    Env: list[str]
    Mounts: list[PluginMount]


class Plugin(TypedDict):
    """Plugin (Engine API, definitions)."""

    Id: str
    Name: str
    Enabled: bool
    Settings: PluginSettings
    PluginReference: str
    Config: PluginConfig


class PluginPrivilege(TypedDict, total=False):
    """PluginPrivilege (Engine API, definitions)."""

    Name: str | None
    Description: str | None
    Value: list[str] | None
