"""What a container asks of its networks: the request's EndpointsConfig, made uniform, and as wishes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast

from wharf.engine.containers.record import Container, Specification
from wharf.errors import Forbidden, InvalidArgument
from wharf.lib.timestamps import ZERO as NEVER
from wharf.network import options
from wharf.network.allocation import is_mac
from wharf.network.endpoint import UNLIMITED, Endpoint, Wish
from wharf.spec.engine_api.container import (
    ContainerConfig,
    EndpointIPAMConfig,
    EndpointSettings,
    HostConfig,
    NetworkingConfig,
)

_PRIVATE: Final = ("host", "none")
_BUILTIN: Final = ("bridge", *_PRIVATE)
_DEFAULT: Final = ("bridge", "default")
_ASKED: Final = ("IPAMConfig", "Links", "Aliases", "MacAddress", "DriverOpts", "GwPriority")

Configured = dict[str, EndpointSettings]


def mode_of(host: HostConfig) -> str:
    """Return the network mode: bridge, host, none, container:<ref> or a network."""
    mode = host.get("NetworkMode") or "bridge"
    return "bridge" if mode == "default" else mode


def is_user_defined(network: str) -> bool:
    """Return whether a mode names a network of the user's own."""
    return network not in (*_BUILTIN, "default") and not network.startswith("container:")


def bridgeless(host: HostConfig, networking: NetworkingConfig) -> tuple[HostConfig, NetworkingConfig]:
    """Return a request to an engine without a default bridge: who asks for that is in no network, as with Docker."""
    kept = {name: one for name, one in (networking.get("EndpointsConfig") or {}).items() if name not in _DEFAULT}
    mode = host.get("NetworkMode")
    return {**host, "NetworkMode": "none" if mode_of(host) == "bridge" else mode}, {"EndpointsConfig": kept}


def normalized(
    config: ContainerConfig, host: HostConfig, networking: NetworkingConfig, name_of: Callable[[str], str]
) -> NetworkingConfig:
    """Return ``networking`` with one entry a network, the mode's first, by name where ``name_of`` knows one.

    Raises:
        InvalidArgument, Forbidden: the request contradicts itself, in Docker's words.
    """
    mode = mode_of(host)
    given = networking.get("EndpointsConfig") or {}
    asked = {name_of("bridge" if ref == "default" else ref): settings or {} for ref, settings in given.items()}
    if mode.startswith("container:"):
        for name, settings in asked.items():
            _check_rate(name, settings)
        if asked.keys() - {mode}:
            raise InvalidArgument("conflicting options: a container that shares another's network joins no networks")
        return {"EndpointsConfig": {}}
    own = name_of(mode)
    if (mode in _PRIVATE and any(name != own for name in asked)) or any(n in _PRIVATE and n != own for n in asked):
        raise Forbidden(
            "container cannot be connected to multiple networks with one of the networks in private (none) mode"
        )
    first: EndpointSettings = {**asked.pop(own, EndpointSettings())}
    if (mac := config.get("MacAddress")) and not first.get("MacAddress"):
        first["MacAddress"] = mac
    links = host.get("Links") if is_user_defined(mode) else None  # the default bridge's are another thing (links.py)
    if links:
        first["Links"] = [*(first.get("Links") or []), *links]
    endpoints = {name: asked_of(settings) for name, settings in {own: first, **asked}.items()}
    for name, settings in endpoints.items():
        check(name, settings)
    return {"EndpointsConfig": endpoints}


def asked_of(settings: EndpointSettings) -> EndpointSettings:
    """Return what is asked of an endpoint, without what is the engine's to say."""
    asked = {name: value for name, value in settings.items() if name in _ASKED and value}
    return cast("EndpointSettings", asked)


def check(network: str, settings: EndpointSettings) -> None:
    """Raise InvalidArgument, in Docker's words, for what an endpoint cannot have."""
    faults = []
    if not is_user_defined(network):
        if settings.get("Aliases"):
            faults.append("network-scoped aliases are only supported for user-defined networks")
        ipam = settings.get("IPAMConfig") or {}
        if ipam.get("IPv4Address") or ipam.get("IPv6Address"):
            faults.append("user specified IP address is supported on user defined networks only")
            faults.append(
                "user specified IP address is supported only when connecting to networks with user configured subnets"
            )
    if faults:
        text = "\n".join(f"* {fault}" for fault in faults) if len(faults) > 1 else faults[0]
        raise InvalidArgument(f"invalid config for network {network}: invalid endpoint settings:\n{text}")
    if (mac := settings.get("MacAddress")) and not is_mac(mac):
        raise InvalidArgument(f"invalid config for network {network}: invalid MAC address {mac}")
    _check_rate(network, settings)
    for link in settings.get("Links") or []:
        split_link(link)


def _check_rate(network: str, settings: EndpointSettings) -> None:
    chosen = options.endpoint_options(settings.get("DriverOpts") or {})
    if (network in _PRIVATE or network.startswith("container:")) and chosen.rate != UNLIMITED:
        raise InvalidArgument(f"a network rate cannot be had with network {network}: nothing is made there")


def warnings(networking: NetworkingConfig) -> list[str]:
    """Return what the user should hear of what is asked of endpoints, and comes to nothing."""
    return [
        f"network {network}: driver option {name} means nothing to its driver, and is only kept"
        for network, settings in (networking.get("EndpointsConfig") or {}).items()
        for name in options.unknown_to_endpoints(settings.get("DriverOpts") or {})
    ]


def split_link(text: str) -> tuple[str, str]:
    """Return container and alias of ``container[:alias]``.

    Raises:
        InvalidArgument: it is malformed.
    """
    target, _, alias = text.partition(":")
    if not target or ":" in alias:
        raise InvalidArgument(f"invalid format for links: {text}")
    return target.removeprefix("/"), alias.rpartition("/")[2] or target.rpartition("/")[2]


def configured(spec: Specification) -> Configured:
    """Return what was asked for, by network, the mode's own first."""
    found = spec.networking.get("EndpointsConfig")
    return dict(found) if found is not None else {mode_of(spec.host_config): EndpointSettings()}


def names_of(container: Container, settings: EndpointSettings) -> tuple[str, ...]:
    """Return the names by which the other containers of a network of the user's own find this one."""
    hostname = container.spec.config.get("Hostname") or ""
    found = [container.name, *(settings.get("Aliases") or []), container.id[:12], hostname]
    return tuple(dict.fromkeys(name for name in found if name))


def wish(container: Container, network: str, settings: EndpointSettings, id_of: Callable[[str], str]) -> Wish:
    """Return ``settings`` as the networks understand them.

    ``id_of`` finds the containers that are linked to; for one that is not there yet it returns the name.
    """
    ipam = settings.get("IPAMConfig") or EndpointIPAMConfig()
    chosen = options.endpoint_options(settings.get("DriverOpts") or {})
    user_defined = is_user_defined(network)
    links = [split_link(link) for link in settings.get("Links") or []]
    return Wish(
        network=network,
        ipv4=ipam.get("IPv4Address") or "",
        ipv6=ipam.get("IPv6Address") or "",
        mac=settings.get("MacAddress") or "",
        interface=chosen.interface,
        link_local=tuple(ipam.get("LinkLocalIPs") or ()),
        names=names_of(container, settings) if user_defined else (),
        links=tuple((id_of(target), alias) for target, alias in links) if user_defined else (),
        gateway_priority=settings.get("GwPriority") or 0,
        sysctls=chosen.sysctls,
        rate=chosen.rate,
        servers=tuple(container.spec.host_config.get("Dns") or ()) if user_defined else (),
    )


def idle_settings() -> EndpointSettings:
    """Return a network's settings for a container that is not attached to it now."""
    return {
        "IPAMConfig": None, "Links": None, "Aliases": None, "MacAddress": "", "DriverOpts": None, "GwPriority": 0,
        "NetworkID": "", "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "",
        "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": None,
    }  # fmt: skip


def shown(
    container: Container, endpoints: Sequence[Endpoint], known: Mapping[str, str] = MappingProxyType({})
) -> Configured:
    """Return NetworkSettings.Networks: what was asked for, with what is so now.

    ``known`` has the ids of networks by name: one that has been started is shown in them when it has ended, too.
    """
    if container.spec.config.get("NetworkDisabled"):
        return {}
    live = {endpoint.network_name: endpoint for endpoint in endpoints}
    found: Configured = {}
    for name, settings in configured(container.spec).items():
        found[name] = {**idle_settings(), **settings}
        if is_user_defined(name):
            found[name]["DNSNames"] = list(names_of(container, settings))
        if name in live:
            found[name].update(_live(live[name]))
        elif container.state.started_at != NEVER:
            found[name]["NetworkID"] = known.get(name, "")
    return found


def _live(endpoint: Endpoint) -> EndpointSettings:
    return {
        "MacAddress": endpoint.mac,
        "NetworkID": endpoint.network_id,
        "EndpointID": endpoint.id,
        "Gateway": _shown_gateway(endpoint.gateway),
        "IPAddress": endpoint.ipv4,
        "IPPrefixLen": endpoint.prefix_length,
        "IPv6Gateway": _shown_gateway(endpoint.gateway6),
        "GlobalIPv6Address": endpoint.ipv6,
        "GlobalIPv6PrefixLen": endpoint.prefix_length6,
    }


def _shown_gateway(gateway: str) -> str:
    return "" if gateway in ("0.0.0.0", "::") else gateway  # noqa: S104  # the word for none


def addresses(endpoints: Iterable[Endpoint]) -> list[str]:
    """Return the addresses of endpoints, IPv4 before IPv6 in each network."""
    return [address for endpoint in endpoints for address in (endpoint.ipv4, endpoint.ipv6) if address]


def respecified(spec: Specification, changed: Mapping[str, EndpointSettings | None]) -> NetworkingConfig:
    """Return the networking of ``spec`` with some networks' settings replaced, or taken out (None)."""
    merged = {**configured(spec), **changed}
    return {"EndpointsConfig": {name: settings for name, settings in merged.items() if settings is not None}}
