"""The engine itself as the Engine API spells it."""

from typing import TypedDict


class SystemVersionPlatform(TypedDict, total=False):
    """SystemVersionPlatform (Engine API, definitions)."""

    Name: str | None


class SystemVersionComponentsItem(TypedDict, total=False):
    """SystemVersionComponentsItem (Engine API, definitions)."""

    Name: str | None
    Version: str | None
    Details: dict[str, object] | None


class SystemVersion(TypedDict, total=False):
    """SystemVersion (Engine API, definitions)."""

    Platform: SystemVersionPlatform | None
    Components: list[SystemVersionComponentsItem] | None
    Version: str | None
    ApiVersion: str | None
    MinAPIVersion: str | None
    GitCommit: str | None
    GoVersion: str | None
    Os: str | None
    Arch: str | None
    KernelVersion: str | None
    Experimental: bool | None
    BuildTime: str | None


class DiskUsage(TypedDict, total=False):
    """ImagesDiskUsage and its siblings of containers, volumes and build caches (Engine API, definitions)."""

    ActiveCount: int | None
    TotalCount: int | None
    Reclaimable: int | None
    TotalSize: int | None
    Items: list[object] | None


class AuthConfig(TypedDict, total=False):
    """AuthConfig (Engine API, definitions)."""

    username: str | None
    password: str | None
    serveraddress: str | None
    identitytoken: str | None
    registrytoken: str | None


class AuthResponse(TypedDict):
    """AuthResponse (Engine API, definitions)."""

    Status: str
    IdentityToken: str


class EventActor(TypedDict, total=False):
    """EventActor (Engine API, definitions)."""

    ID: str | None
    Attributes: dict[str, str] | None


class EventMessage(TypedDict, total=False):
    """EventMessage (Engine API, definitions)."""

    Type: str | None
    Action: str | None
    Actor: EventActor | None
    scope: str | None
    time: int | None
    timeNano: int | None
