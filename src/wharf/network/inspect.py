"""Networks as others see them: the Engine API's documents and filters, and what the firewall must know. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from wharf.errors import InvalidArgument
from wharf.lib.filters import Filters, match_labels, require_known, truth
from wharf.lib.moments import parse_moment, to_ns
from wharf.network import options
from wharf.network.endpoint import Endpoint
from wharf.network.ipam import usage
from wharf.network.pools import Pool
from wharf.network.records import Network
from wharf.network.rules import BridgeNetwork
from wharf.spec.engine_api.network import (
    EndpointResource,
    IPAMConfig,
    NetworkInspect,
    NetworkStatus,
    SubnetStatus,
)

_MOST = (1 << 64) - 1  # of what the API counts


def document(
    network: Network, endpoints: Iterable[Endpoint] = (), names: Mapping[str, str] | None = None
) -> NetworkInspect:
    """Return what docker network inspect shows."""
    config = [_pool(pool) for pool in network.pools]
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": network.created_at,
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv4": network.ipv4,
        "EnableIPv6": network.ipv6,
        "IPAM": {
            "Driver": network.ipam_driver,
            "Options": None if network.ipam_options is None else dict(network.ipam_options),
            "Config": config or (None if network.builtin else []),
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": network.config_from},
        "ConfigOnly": network.config_only,
        "Containers": {e.container_id: _resource(e, names or {}) for e in endpoints if e.network_id == network.id},
        "Options": _options(network),
        "Labels": dict(network.labels),
    }


def whole(network: Network, endpoints: Sequence[Endpoint], names: Mapping[str, str]) -> NetworkInspect:
    """Return what docker network inspect shows, with how many addresses are in use and left."""
    found = document(network, endpoints, names)
    if network.pools:
        found["Status"] = _status(network, endpoints)
    return found


def _status(network: Network, endpoints: Iterable[Endpoint]) -> NetworkStatus:
    taken = [address for each in endpoints for address in (each.ipv4, each.ipv6) if address]
    return {"IPAM": {"Subnets": {pool.subnet: _subnet_status(pool, taken) for pool in network.pools}}}


def _subnet_status(pool: Pool, taken: Iterable[str]) -> SubnetStatus:
    gone, left = usage(pool, taken)
    return {"IPsInUse": min(gone, _MOST), "DynamicIPsAvailable": min(left, _MOST)}


def _pool(pool: Pool) -> IPAMConfig:
    shown: IPAMConfig = {"Subnet": pool.subnet}
    if pool.ip_range:
        shown["IPRange"] = pool.ip_range
    if pool.gateway:
        shown["Gateway"] = pool.gateway
    if pool.auxiliary:
        shown["AuxiliaryAddresses"] = dict(pool.auxiliary)
    return shown


def _resource(endpoint: Endpoint, names: Mapping[str, str]) -> EndpointResource:
    return {
        "Name": names.get(endpoint.container_id, ""),
        "EndpointID": endpoint.id,
        "MacAddress": endpoint.mac,
        "IPv4Address": f"{endpoint.ipv4}/{endpoint.prefix_length}" if endpoint.ipv4 else "",
        "IPv6Address": f"{endpoint.ipv6}/{endpoint.prefix_length6}" if endpoint.ipv6 else "",
    }


def _options(network: Network) -> dict[str, str]:
    if network.driver != "bridge" or not network.builtin:
        return dict(network.options)
    prefix = "com.docker.network"
    return {
        f"{prefix}.bridge.enable_icc": "true",
        f"{prefix}.bridge.enable_ip_masquerade": "true",
        f"{prefix}.bridge.host_binding_ipv4": "0.0.0.0",  # noqa: S104 - what Docker shows
        options.NAME: network.bridge or "docker0",
        options.MTU: "1500",
        **network.options,
    }


def for_firewall(network: Network, *, direct: bool) -> BridgeNetwork:
    """Return what the firewall must know of a bridge network; ``direct`` as in :class:`BridgeNetwork`."""
    chosen = options.bridge_options(network.options, internal=network.internal)
    subnets = {version: next((p.subnet for p in network.pools_of(version)), "") for version in (4, 6)}
    return BridgeNetwork(
        id=network.id,
        bridge=network.bridge,
        subnet4=subnets[4],
        subnet6=subnets[6],
        internal=network.internal,
        icc=chosen.icc,
        mode4=chosen.mode_ipv4,
        mode6=chosen.mode_ipv6,
        masquerade=chosen.masquerade,
        direct=direct,
        judged=chosen.publish == "firewall",
        source4=chosen.source_ipv4,
        source6=chosen.source_ipv6,
    )


_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")


def matching(networks: Iterable[Network], filters: Filters, *, used: Collection[str] = ()) -> list[Network]:
    """Return the networks that docker network ls shows with ``filters``; ``used``: ids of those with containers.

    Raises:
        InvalidArgument: a filter or a value that Docker does not know.
    """
    require_known(filters, _FILTERS)
    if unknown := [t for t in filters.get("type", ()) if t not in ("builtin", "custom")]:
        raise InvalidArgument(f"invalid filter: 'type'='{unknown[0]}'")
    dangling = truth(filters, "dangling")
    return [network for network in networks if _matches(network, filters, dangling, network.id in used)]


def _matches(network: Network, filters: Filters, dangling: bool | None, used: bool) -> bool:  # noqa: FBT001  # a fact
    facts: dict[str, Callable[[str], bool]] = {
        "driver": lambda v: v == network.driver,
        "id": network.id.startswith,
        "name": lambda v: v in network.name,
        "scope": lambda v: v == "local",
        "type": lambda v: (v == "builtin") == network.builtin,
    }
    fits = all(any(facts[n](v) for v in values) for n, values in filters.items() if n in facts)
    # The built-in networks are never pruned, so they are never dangling (Docker).
    loose = dangling is None or dangling == (not network.builtin and not used)
    return fits and loose and match_labels(filters, network.labels)


def prunable(networks: Iterable[Network], filters: Filters) -> list[Network]:
    """Return the networks that prune may remove.

    Raises:
        InvalidArgument: a filter that prune does not know.
    """
    require_known(filters, ("label", "label!", "until"))
    untils = [parse_moment(value, now_ns=time.time_ns()) for value in filters.get("until", [])]
    return [
        network
        for network in networks
        if not network.builtin
        and match_labels(filters, network.labels)
        and all(to_ns(network.created_at) < until for until in untils)
    ]
