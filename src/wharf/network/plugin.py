"""A network plugin: what it is asked, and what it answers (moby, libnetwork/docs/remote.md)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any, Final, NamedTuple

from wharf.errors import NotImplementedHere, Unavailable
from wharf.network.endpoint import Endpoint, PublishedPort
from wharf.network.pools import Pool
from wharf.network.records import Network
from wharf.network.rules import ANY, ANY6
from wharf.plugins.calls import Address, Refused, call
from wharf.plugins.finding import found

KIND: Final = "NetworkDriver"
_LABEL: Final = "com.docker.network"
_PROTOCOLS: Final = {"tcp": 6, "udp": 17, "sctp": 132}  # of IP
_LINK: Final = re.compile(r"[^/\s:]{1,15}")
_MAX_ROUTES: Final = 1000
_DATA_SPACE: Final = "LocalDefault"  # the engine's own addresses
_NOWHERE: Final = {"AddressSpace": "null", "Pool": "0.0.0.0/0"}

Find = Callable[[str, str], Address]
"""Returns where the plugin of a name and a kind listens; NotFound when there is none. Blocks."""


def find(name: str, kind: str) -> Address:
    """Return where a plugin that runs by itself listens; raises as :func:`wharf.plugins.finding.found`."""
    return found(name, kind)


class Interface(NamedTuple):
    """What a plugin chose for an endpoint; '' for what it left open."""

    ipv4: str  # with its prefix length
    ipv6: str
    mac: str


class Joined(NamedTuple):
    """What is to be done for an endpoint in its sandbox."""

    source: str  # the link on the host that becomes its interface; '' for none
    prefix: str  # of its name there
    name: str  # there, in place of a prefix
    gateway: str
    gateway6: str
    routes: tuple[tuple[str, str], ...]  # destination, and by which neighbour; '' for the link itself


class NetworkPlugin:
    """One network plugin. Its methods block.

    They raise Unavailable when it does not answer, and WharfError when it refuses or answers what cannot be.
    """

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self._address = address

    def require(self) -> None:
        """Ask what it can do; Unavailable when it is not what a driver can be."""
        told = self._call("GetCapabilities", {})
        for scope in (told.get("Scope"), told.get("ConnectivityScope") or "local"):
            if scope not in ("local", "global"):
                raise Unavailable(f"invalid capability: expecting 'local' or 'global', got {scope}")

    def skips_gateways(self, network: Network) -> tuple[bool, bool]:
        """Return whether its networks need no gateway's address, in IPv4 and in IPv6."""
        if self._call("GetCapabilities", {}).get("GwAllocChecker") is not True:
            return False, False
        told = self._call("GwAllocCheck", {"Options": options(network)})
        return told.get("SkipIPv4") is True, told.get("SkipIPv6") is True

    def create_network(self, network: Network, space: str) -> None:
        """Have it make a network, whose addresses are of the address space ``space``."""
        self._call("CreateNetwork", creation(network, space))

    def delete_network(self, network_id: str) -> None:
        """Have it remove a network."""
        self._call("DeleteNetwork", {"NetworkID": network_id})

    def create_endpoint(self, endpoint: Endpoint, mac: str) -> Interface:
        """Have it make an endpoint; return what it chose. ``mac``: what the user asked for."""
        own = {
            "Address": _cidr(endpoint.ipv4, endpoint.prefix_length),
            "AddressIPv6": _cidr(endpoint.ipv6, endpoint.prefix_length6),
            "MacAddress": mac,
        }
        asked = {**ports(endpoint.ports), **_mac_option(mac)}
        told = self._call("CreateEndpoint", {**_ids(endpoint), "Interface": own, "Options": asked})
        return interface(self.name, told.get("Interface"), own)

    def join(self, endpoint: Endpoint) -> Joined:
        """Have it join an endpoint to its sandbox."""
        asked = {**_ids(endpoint), "SandboxKey": endpoint.sandbox, "Options": ports(endpoint.ports)}
        return joined(self.name, self._call("Join", asked))

    def program(self, endpoint: Endpoint) -> None:
        """Have it let in what the endpoint's ports are for, if it knows of such things."""
        options = {f"{_LABEL}.driver.private.no_proxy_6to4": False, **ports(endpoint.ports)}
        self._if_known("ProgramExternalConnectivity", {**_ids(endpoint), "Options": options})

    def revoke(self, endpoint: Endpoint) -> None:
        """Undo :meth:`program`."""
        self._if_known("RevokeExternalConnectivity", _ids(endpoint))

    def leave(self, endpoint: Endpoint) -> None:
        """Undo :meth:`join`."""
        self._call("Leave", _ids(endpoint))

    def delete_endpoint(self, endpoint: Endpoint) -> None:
        """Undo :meth:`create_endpoint`."""
        self._call("DeleteEndpoint", _ids(endpoint))

    def _if_known(self, method: str, document: Mapping[str, object]) -> None:
        try:
            self._call(method, document)
        except NotImplementedHere:
            return

    def _call(self, method: str, document: Mapping[str, object]) -> dict[str, Any]:
        try:
            return call(f"network plugin {self.name}", self._address, f"/{KIND}.{method}", document)
        except Refused as error:
            raise Refused(f"remote: {error.told}", error.told) from error


def options(network: Network) -> dict[str, object]:
    """Return a network's options as plugins are told them. Pure."""
    return {
        f"{_LABEL}.enable_ipv4": network.ipv4,
        f"{_LABEL}.enable_ipv6": network.ipv6,
        f"{_LABEL}.generic": dict(network.options),
        **({f"{_LABEL}.internal": True} if network.internal else {}),
    }


def creation(network: Network, space: str) -> dict[str, object]:
    """Return what a plugin is told of a new network. Pure."""
    data: dict[int, list[Mapping[str, object]]] = {
        version: [_data(pool, space) for pool in network.pools_of(version)] for version in (4, 6)
    }
    if network.ipam_driver == "null" and network.ipv4:
        data[4] = [_NOWHERE]
    return {"NetworkID": network.id, "Options": options(network), "IPv4Data": data[4], "IPv6Data": data[6]}


def _data(pool: Pool, space: str) -> dict[str, object]:
    length = pool.network.prefixlen
    found: dict[str, object] = {"AddressSpace": space or _DATA_SPACE, "Pool": pool.subnet}
    if pool.gateway:
        found["Gateway"] = f"{pool.gateway}/{length}"
    if pool.auxiliary:
        found["AuxAddresses"] = {name: f"{address}/{length}" for name, address in pool.auxiliary.items()}
    return found


def ports(published: Sequence[PublishedPort]) -> dict[str, object]:
    """Return published ports as plugins are told them. Pure."""
    exposed = [{"Proto": _PROTOCOLS[port.protocol], "Port": port.container_port} for port in published]
    bound = [
        {
            "Proto": _PROTOCOLS[port.protocol],
            "IP": "",
            "Port": port.container_port,
            "HostIP": "" if port.host_ip in (ANY, ANY6) else port.host_ip,
            "HostPort": port.host_port,
            "HostPortEnd": port.host_port,
        }
        for port in published
    ]
    return {f"{_LABEL}.endpoint.exposedports": exposed, f"{_LABEL}.portmap": bound}


def interface(plugin: str, told: object, own: Mapping[str, str]) -> Interface:
    """Return the interface that a plugin tells. Pure.

    Raises:
        Unavailable: it is malformed, or changes what was given (``own``).
    """
    if told is None:
        return Interface("", "", "")
    fields = told if isinstance(told, dict) else {"Address": told}
    found = {name: fields.get(name) or "" for name in ("Address", "AddressIPv6", "MacAddress")}
    try:
        cidr = {name: _interface(found[name], version) for name, version in (("Address", 4), ("AddressIPv6", 6))}
        mac = _mac(found["MacAddress"])
    except (ValueError, TypeError) as error:
        raise Unavailable(f"the network plugin {plugin} answers CreateEndpoint with nonsense: {error}") from error
    for name, text in (*cidr.items(), ("MacAddress", mac)):
        if text and own[name] and text != own[name]:
            raise Unavailable(f"the network plugin {plugin} changes {name} from {own[name]} to {text}")
    return Interface(cidr["Address"], cidr["AddressIPv6"], mac)


def joined(plugin: str, told: Mapping[str, Any]) -> Joined:
    """Return what a plugin tells of a sandbox. Pure.

    Raises:
        Unavailable: it is malformed.
    """
    try:
        names = told.get("InterfaceName") or {}
        routes = told.get("StaticRoutes") or []
        return Joined(
            _link(names.get("SrcName")),
            _link(names.get("DstPrefix")),
            _link(names.get("DstName")),
            _address(told.get("Gateway"), 4),
            _address(told.get("GatewayIPv6"), 6),
            tuple(_route(one) for one in _few(routes)),
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Unavailable(f"the network plugin {plugin} answers Join with nonsense: {error}") from error


def _few(routes: Sequence[Any]) -> Sequence[Any]:
    if len(routes) > _MAX_ROUTES:
        raise ValueError(f"{len(routes)} static routes")
    return routes


def _route(told: Mapping[str, Any]) -> tuple[str, str]:
    network = ip_network(told["Destination"], strict=False)
    return str(network), _address(told.get("NextHop"), network.version)


def _link(told: object) -> str:
    if not told:
        return ""
    if not isinstance(told, str) or not _LINK.fullmatch(told) or told in (".", ".."):
        raise ValueError(f"{told!r} is no name of a link")
    return told


def _address(told: object, version: int) -> str:
    if not told:
        return ""
    if not isinstance(told, str) or ip_address(told).version != version:
        raise ValueError(f"{told!r} is no IPv{version} address")
    return str(ip_address(told))


def _interface(told: object, version: int) -> str:
    if not told:
        return ""
    if not isinstance(told, str) or ip_interface(told).version != version:
        raise ValueError(f"{told!r} is no IPv{version} address")
    return str(ip_interface(told))


def _mac(told: object) -> str:
    if not told:
        return ""
    if not isinstance(told, str) or not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", told):
        raise ValueError(f"{told!r} is no MAC")
    return told.lower()


def _mac_option(mac: str) -> dict[str, object]:
    raw = bytes.fromhex(mac.replace(":", ""))
    return {f"{_LABEL}.endpoint.macaddress": base64.b64encode(raw).decode()} if mac else {}


def _cidr(address: str, length: int) -> str:
    return f"{address}/{length}" if address else ""


def _ids(endpoint: Endpoint) -> dict[str, object]:
    return {"NetworkID": endpoint.network_id, "EndpointID": endpoint.id}
