"""Networks as the Engine API shows them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from wharf.errors import InvalidArgument
from wharf.lib.filters import Filters, match_labels, require_known
from wharf.network.bridge import DEFAULT_BRIDGE
from wharf.network.endpoint import Endpoint
from wharf.network.records import BUILTIN, Network
from wharf.spec.engine_api.network import EndpointResource, NetworkInspect


def document(
    network: Network, endpoints: Iterable[Endpoint] = (), names: Mapping[str, str] | None = None
) -> NetworkInspect:
    """Return what docker network inspect shows."""
    config = [{"Subnet": network.subnet, "Gateway": network.gateway}] if network.subnet else None
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": network.created_at,
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": config},  # type: ignore[typeddict-item]  # plain dicts
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {e.container_id: _resource(e, names or {}) for e in endpoints if e.network_id == network.id},
        "Options": _options(network),
        "Labels": {},
    }


def _resource(endpoint: Endpoint, names: Mapping[str, str]) -> EndpointResource:
    return {
        "Name": names.get(endpoint.container_id, ""),
        "EndpointID": endpoint.id,
        "MacAddress": endpoint.mac,
        "IPv4Address": f"{endpoint.ipv4}/{endpoint.prefix_length}" if endpoint.ipv4 else "",
        "IPv6Address": "",
    }


def _options(network: Network) -> dict[str, str]:
    if network.driver != "bridge":
        return {}
    prefix = "com.docker.network"
    return {
        f"{prefix}.bridge.default_bridge": "true" if network.name == "bridge" else "false",
        f"{prefix}.bridge.enable_icc": "true",
        f"{prefix}.bridge.enable_ip_masquerade": "true",
        f"{prefix}.bridge.host_binding_ipv4": "0.0.0.0",  # noqa: S104 - what Docker shows
        f"{prefix}.bridge.name": network.bridge or DEFAULT_BRIDGE,
        f"{prefix}.driver.mtu": "1500",
    }


_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")


def matching(networks: Iterable[Network], filters: Filters) -> list[Network]:
    """Return the networks that docker network ls shows with ``filters``.

    Raises:
        InvalidArgument: a filter or a value that Docker does not know.
    """
    require_known(filters, _FILTERS)
    if unknown := [t for t in filters.get("type", ()) if t not in ("builtin", "custom")]:
        raise InvalidArgument(f"invalid filter: 'type'='{unknown[0]}'")
    return [network for network in networks if _matches(network, filters)]


def _matches(network: Network, filters: Filters) -> bool:
    builtin = network.name in BUILTIN
    facts: dict[str, Callable[[str], bool]] = {
        "driver": lambda v: v == network.driver,
        "id": network.id.startswith,
        "name": lambda v: v in network.name,
        "scope": lambda v: v == "local",
        "type": lambda v: (v == "builtin") == builtin,
        # The built-in networks are never pruned, so they are never dangling (Docker).
        "dangling": lambda v: not builtin or v.lower() not in ("true", "1"),
    }
    fits = all(any(facts[n](v) for v in values) for n, values in filters.items() if n in facts)
    return fits and match_labels(filters, {})
