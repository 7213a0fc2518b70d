"""Networks as the Engine API spells them."""

from typing import TypedDict

from wharf.spec.engine_api.container import EndpointSettings


class IPAMConfig(TypedDict, total=False):
    """IPAMConfig (Engine API, definitions)."""

    Subnet: str | None
    IPRange: str | None
    Gateway: str | None
    AuxiliaryAddresses: dict[str, str] | None


class IPAM(TypedDict, total=False):
    """IPAM (Engine API, definitions)."""

    Driver: str | None
    Config: list[IPAMConfig] | None
    Options: dict[str, str] | None


class EndpointResource(TypedDict, total=False):
    """EndpointResource (Engine API, definitions)."""

    Name: str | None
    EndpointID: str | None
    MacAddress: str | None
    IPv4Address: str | None
    IPv6Address: str | None


class ConfigReference(TypedDict, total=False):
    """ConfigReference (Engine API, definitions)."""

    Network: str | None


class SubnetStatus(TypedDict):
    """SubnetStatus (Engine API, definitions)."""

    IPsInUse: int
    DynamicIPsAvailable: int


class IPAMStatus(TypedDict):
    """IPAMStatus (Engine API, definitions)."""

    Subnets: dict[str, SubnetStatus]


class NetworkStatus(TypedDict):
    """NetworkStatus (Engine API, definitions)."""

    IPAM: IPAMStatus


class NetworkInspect(TypedDict, total=False):
    """NetworkInspect (Engine API, definitions)."""

    Name: str | None
    Id: str | None
    Created: str | None
    Scope: str | None
    Driver: str | None
    EnableIPv4: bool | None
    EnableIPv6: bool | None
    IPAM: IPAM | None
    Internal: bool | None
    Attachable: bool | None
    Ingress: bool | None
    ConfigFrom: ConfigReference | None
    ConfigOnly: bool | None
    Options: dict[str, str] | None
    Labels: dict[str, str] | None
    Containers: dict[str, EndpointResource] | None
    Status: NetworkStatus


class NetworkCreateRequest(TypedDict, total=False):
    """NetworkCreateRequest (Engine API, the body of NetworkCreate)."""

    Name: str | None
    CheckDuplicate: bool | None
    Driver: str | None
    Scope: str | None
    Internal: bool | None
    Attachable: bool | None
    Ingress: bool | None
    ConfigOnly: bool | None
    ConfigFrom: ConfigReference | None
    IPAM: IPAM | None
    EnableIPv4: bool | None
    EnableIPv6: bool | None
    Options: dict[str, str] | None
    Labels: dict[str, str] | None


class NetworkCreateResponse(TypedDict):
    """NetworkCreateResponse (Engine API, definitions)."""

    Id: str
    Warning: str


class NetworkConnectRequest(TypedDict, total=False):
    """NetworkConnectRequest (Engine API, the body of NetworkConnect)."""

    Container: str | None
    EndpointConfig: EndpointSettings | None


class NetworkDisconnectRequest(TypedDict, total=False):
    """NetworkDisconnectRequest (Engine API, the body of NetworkDisconnect)."""

    Container: str | None
    Force: bool | None
