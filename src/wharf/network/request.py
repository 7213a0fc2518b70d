"""A request to create a network → the record of one, checked and with Docker's defaults. Pure but for the clock."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace

from wharf.errors import NOT_A_MANAGER, Forbidden, InvalidArgument, Unavailable
from wharf.lib.timestamps import rfc3339_nano
from wharf.network import options, pools
from wharf.network.pools import Pool
from wharf.network.records import BUILTIN, Network
from wharf.spec.engine_api.network import IPAM, NetworkCreateRequest


def builtin(name: str) -> Network:
    """Return the record of a built-in network."""
    pool = (Pool("172.17.0.0/16", "172.17.0.1"),) if name == "bridge" else ()
    made = {options.DEFAULT_BRIDGE: "true"} if name == "bridge" else {}
    return Network(_new_id(), name, BUILTIN[name], _now(), pools=pool, options=made)


def network_of(request: NetworkCreateRequest, *, overlay: bool = False) -> Network:
    """Return the network that ``request`` asks for; pools that it does not name are not chosen yet.

    ``overlay``: there is a driver for it. What only a driver knows is not checked here.

    Raises:
        InvalidArgument, Forbidden, NotImplementedHere: in Docker's words.
    """
    name, driver = request.get("Name") or "", request.get("Driver") or "bridge"
    _check_name(name)
    if request.get("ConfigOnly"):
        _check_configuration(request)
        driver = "null"  # whatever is asked for, as with Docker: its command line always says "bridge"
    else:
        _check_kind(request, driver, overlay=overlay)
    ipam = request.get("IPAM") or IPAM()
    chosen = {str(k): str(v) for k, v in (request.get("Options") or {}).items()}
    wants = request.get("EnableIPv4")
    network = Network(
        id=_new_id(),
        name=name,
        driver=driver,
        created_at=_now(),
        pools=_pools(ipam),
        ipv4=True if wants is None else wants,
        ipv6=bool(request.get("EnableIPv6")),
        internal=bool(request.get("Internal")),
        attachable=bool(request.get("Attachable")),
        config_only=bool(request.get("ConfigOnly")),
        config_from=(request.get("ConfigFrom") or {}).get("Network") or "",
        options=chosen,
        labels=dict(request.get("Labels") or {}),
        ipam_driver=ipam.get("Driver") or "default",
        ipam_options=ipam.get("Options"),
    )
    return _checked(network)


def with_config_of(network: Network, source: Network) -> Network:
    """Return ``network`` with the configuration of the config-only network it names (``--config-from``).

    Raises:
        Forbidden: that is none, or ``network`` has configuration of its own.
    """
    if not source.config_only:
        raise Forbidden(f'configuration network "{source.name}" is not configuration only')
    if network.pools or network.options or network.labels:
        raise Forbidden(
            "user specified configurations are not supported if the network depends on a configuration network"
        )
    return _checked(
        replace(
            network,
            pools=source.pools,
            ipv4=source.ipv4,
            ipv6=source.ipv6,
            options=source.options,
            labels=source.labels,
            ipam_options=source.ipam_options,
        )
    )


def warning(network: Network) -> str:
    """Return what the user should hear of a new network; '' for nothing."""
    unused = [p.subnet for p in network.pools if not (network.ipv4 if p.version == 4 else network.ipv6)]
    told = [f"{subnet} is not used: its IP version is not enabled" for subnet in unused]
    told += [
        f"IPAM option {name} means nothing to the driver {network.ipam_driver}, and is only kept"
        for name in (network.ipam_options or {} if network.ipam_driver == "default" else ())
    ]
    return "; ".join(told)


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise InvalidArgument(f"invalid name: {name!r}: a network's name is not empty, and can be printed")
    if name in (*BUILTIN, "default", "container"):
        raise Forbidden(f"operation is not permitted on predefined {name} network ")


def _check_configuration(request: NetworkCreateRequest) -> None:
    if request.get("Ingress") or request.get("Internal") or request.get("Attachable") or request.get("Scope"):
        raise Forbidden(
            "configuration network can only contain network specific fields. "
            "Network operator fields like [ ingress | internal | attachable | scope ] are not supported."
        )
    if (request.get("ConfigFrom") or {}).get("Network"):
        raise Forbidden("a configuration network cannot depend on another configuration network")


def _check_kind(request: NetworkCreateRequest, driver: str, *, overlay: bool) -> None:
    if request.get("Scope") == "swarm":
        raise Forbidden("cannot create a swarm scoped network when swarm is not active")
    if (driver == "overlay" and not overlay) or request.get("Ingress"):
        raise Unavailable(NOT_A_MANAGER)
    if driver in ("host", "null"):
        raise Forbidden(f'only one instance of "{driver}" network is allowed')


def _pools(ipam: IPAM) -> tuple[Pool, ...]:
    entries: list[Mapping[str, object]] = [dict(entry) for entry in ipam.get("Config") or [] if entry]
    try:
        return tuple(pools.parse(entry) for entry in entries if entry.get("Subnet") or any(entry.values()))
    except InvalidArgument as error:
        raise InvalidArgument(f"invalid network config:\n{error}") from None


def _checked(network: Network) -> Network:
    if not network.config_only and not network.ipv4 and not network.ipv6:
        raise InvalidArgument("IPv4 or IPv6 must be enabled")
    return network


def _new_id() -> str:
    return secrets.token_hex(32)


def _now() -> str:
    return rfc3339_nano(time.time_ns())
