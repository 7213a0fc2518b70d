"""The firewall of one engine, as nft JSON commands. Pure: networks and ports in, one transaction out.

The table ``ip wharf_<key>``::

    map ports_any    protocol . port           → container address . port      published on all addresses
    map ports_at     address . protocol . port → container address . port      published on one address
    guard            prerouting, raw     a bridge may not speak to or from 127/8 (its route_localnet would let it)
    prerouting       dstnat              packets to this host's addresses → maps; 127/8 from a wire is left to the kernel,
    output           -100                which drops it; the host's own packets → maps, 127/8 included
    forward          filter              what enters a bridge from elsewhere must be an answer or a published port
    postrouting      srcnat              masquerade what leaves a subnet for elsewhere; and published traffic whose
                                         client is this host's loopback or sits on the same bridge, so that the
                                         answer comes back through here (whatever bridge-nf-call-iptables says)

Maps keep the rules as many as there are networks, however many ports are published.
(libnftables-json(5); `fib` and `dnat ... map`: nft(8).)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wharf.network.endpoint import Endpoint, PublishedPort

Command = dict[str, Any]
Expression = dict[str, Any]

ANY = "0.0.0.0"  # noqa: S104 - the word for "all addresses", nothing is bound here


@dataclass(frozen=True, slots=True)
class BridgeNetwork:
    """What the firewall needs to know of a network."""

    bridge: str
    subnet: str  # CIDR


def table_name(key: str) -> str:
    """Return the name of the engine's table."""
    return f"wharf_{key}"


def build(key: str, networks: Iterable[BridgeNetwork], endpoints: Iterable[Endpoint]) -> list[Command]:
    """Return the commands that make the whole table anew, in place of what it held."""
    table = {"family": "ip", "name": table_name(key)}
    commands: list[Command] = [{"add": {"table": table}}, {"delete": {"table": table}}, {"add": {"table": table}}]
    commands += [_add_map(key, "ports_any", []), _add_map(key, "ports_at", ["ipv4_addr"])]
    commands += [_add_chain(key, *chain) for chain in _CHAINS]
    commands += [_add_rule(key, chain, *expressions) for chain, *expressions in _common_rules()]
    for network in networks:
        commands += [_add_rule(key, chain, *expressions) for chain, *expressions in _network_rules(network)]
    for endpoint in endpoints:
        commands += publish(key, endpoint)
    return commands


def remove(key: str) -> list[Command]:
    """Return the commands that remove the table, whether it is there or not."""
    table = {"family": "ip", "name": table_name(key)}
    return [{"add": {"table": table}}, {"delete": {"table": table}}]


def publish(key: str, endpoint: Endpoint) -> list[Command]:
    """Return the commands that publish the endpoint's ports; none for none."""
    return [{"add": {"element": _element(key, endpoint, port)}} for port in endpoint.ports]


def withdraw(key: str, endpoint: Endpoint) -> list[Command]:
    """Return the commands that take the endpoint's ports back: they must be there."""
    return [{"delete": {"element": _element(key, endpoint, port)}} for port in endpoint.ports]


def _element(key: str, endpoint: Endpoint, port: PublishedPort) -> dict[str, Any]:
    anywhere = port.host_ip == ANY
    place = [port.protocol, port.host_port] if anywhere else [port.host_ip, port.protocol, port.host_port]
    return {
        "family": "ip",
        "table": table_name(key),
        "name": "ports_any" if anywhere else "ports_at",
        "elem": [[{"concat": place}, {"concat": [endpoint.ipv4, port.container_port]}]],
    }


_CHAINS = (
    ("guard", "filter", "prerouting", -300),
    ("prerouting", "nat", "prerouting", -100),
    ("output", "nat", "output", -100),
    ("forward", "filter", "forward", 0),
    ("postrouting", "nat", "postrouting", 100),
)


def _add_chain(key: str, name: str, kind: str, hook: str, priority: int) -> Command:
    place = {"family": "ip", "table": table_name(key), "name": name}
    return {"add": {"chain": {**place, "type": kind, "hook": hook, "prio": priority, "policy": "accept"}}}


def _add_map(key: str, name: str, prefix: list[str]) -> Command:
    place = {"family": "ip", "table": table_name(key), "name": name}
    return {
        "add": {
            "map": {**place, "type": [*prefix, "inet_proto", "inet_service"], "map": ["ipv4_addr", "inet_service"]}
        }
    }


def _add_rule(key: str, chain: str, *expressions: Expression) -> Command:
    return {"add": {"rule": {"family": "ip", "table": table_name(key), "chain": chain, "expr": list(expressions)}}}


_DADDR: Expression = {"payload": {"protocol": "ip", "field": "daddr"}}
_SADDR: Expression = {"payload": {"protocol": "ip", "field": "saddr"}}
_PROTOCOL: Expression = {"meta": {"key": "l4proto"}}
_PORT: Expression = {"payload": {"protocol": "th", "field": "dport"}}
_TO_THIS_HOST: Expression = {"fib": {"result": "type", "flags": ["daddr"]}}


def _match(left: Expression, right: object, operator: str = "==") -> Expression:
    return {"match": {"op": operator, "left": left, "right": right}}


def _link(direction: str, name: str, operator: str = "==") -> Expression:
    return _match({"meta": {"key": f"{direction}ifname"}}, name, operator)


def _prefix(cidr: str) -> Expression:
    address, _, length = cidr.partition("/")
    return {"prefix": {"addr": address, "len": int(length)}}


_LOOPBACK = _prefix("127.0.0.0/8")


def _dnat(name: str, *key: Expression) -> Expression:
    return {"dnat": {"family": "ip", "addr": {"map": {"key": {"concat": list(key)}, "data": f"@{name}"}}}}


def _common_rules() -> list[tuple[Any, ...]]:
    local = _match(_TO_THIS_HOST, "local")
    at, anywhere = _dnat("ports_at", _DADDR, _PROTOCOL, _PORT), _dnat("ports_any", _PROTOCOL, _PORT)
    return [
        ("prerouting", _match(_DADDR, _LOOPBACK), {"return": None}),
        ("prerouting", local, at),
        ("prerouting", local, anywhere),
        ("output", local, at),
        ("output", local, anywhere),
    ]


def _network_rules(network: BridgeNetwork) -> list[tuple[Any, ...]]:
    subnet = _prefix(network.subnet)
    published = _match({"ct": {"key": "status"}}, "dnat", "in")
    return [
        ("guard", _link("i", network.bridge), _match(_DADDR, _LOOPBACK), {"drop": None}),
        ("guard", _link("i", network.bridge), _match(_SADDR, _LOOPBACK), {"drop": None}),
        (
            "forward",
            _link("o", network.bridge),
            _link("i", network.bridge, "!="),
            _match({"ct": {"key": "state"}}, "new", "in"),
            _match({"ct": {"key": "status"}}, "dnat", "!"),
            {"drop": None},
        ),
        ("postrouting", _match(_SADDR, subnet), _link("o", network.bridge, "!="), {"masquerade": None}),
        (
            "postrouting",
            _match(_SADDR, {"set": [_LOOPBACK, subnet]}),
            _link("o", network.bridge),
            published,
            {"masquerade": None},
        ),
    ]
