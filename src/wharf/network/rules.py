"""The firewall of one engine, as nftables commands. Pure: networks and ports in, one transaction out.

The table ``ip wharf_<key>``::

    map ports_any    protocol . port           → container address . port      published on all addresses
    map ports_at     address . protocol . port → container address . port      published on one address
    guard            prerouting, raw     a bridge may not speak to or from 127/8 (its route_localnet would let it)
    prerouting       dstnat              packets to this host's addresses → maps; 127/8 from a wire is left to the
                                         kernel, which drops it
    output           -100                the host's own packets → maps, 127/8 included
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

ANY = "0.0.0.0"  # noqa: S104 - the word for "all addresses", nothing is bound here


@dataclass(frozen=True, slots=True)
class BridgeNetwork:
    """What the firewall needs to know of a network."""

    bridge: str
    subnet: str  # CIDR


def table_name(key: str) -> str:
    """Return the name of the engine's table."""
    return f"wharf_{key}"


def build(key: str, networks: Iterable[BridgeNetwork], endpoints: Iterable[Endpoint]) -> str:
    """Return the script (nft(8)) that makes the whole table anew, in place of what it held: one transaction.

    A script and not JSON: libnftables 1.0.6 crashes on a JSON rule that translates by a map of address and port.
    """
    networks = list(networks)
    places = [_elements(endpoint) for endpoint in endpoints]
    anywhere = [element for any_, _ in places for element in any_]
    at = [element for _, at_ in places for element in at_]
    name = table_name(key)
    lines = [f"table ip {name}", f"delete table ip {name}", f"table ip {name} {{"]
    lines += _map("ports_any", "inet_proto . inet_service", anywhere)
    lines += _map("ports_at", "ipv4_addr . inet_proto . inet_service", at)
    for chain, head, common, of_network in _CHAINS:
        rules = [*common, *(rule.format(**_words(network)) for network in networks for rule in of_network)]
        lines += [f"\tchain {chain} {{", f"\t\ttype {head}; policy accept;", *(f"\t\t{r}" for r in rules), "\t}"]
    return "\n".join([*lines, "}", ""])


def remove(key: str) -> list[Command]:
    """Return the commands that remove the table, whether it is there or not."""
    table = {"family": "ip", "name": table_name(key)}
    return [{"add": {"table": table}}, {"delete": {"table": table}}]


def publish(key: str, endpoint: Endpoint) -> list[Command]:
    """Return the commands that publish the endpoint's ports; none for none."""
    return [{"add": {"element": _element(key, endpoint, port)}} for port in endpoint.ports]


def withdraw(key: str, endpoint: Endpoint) -> list[Command]:
    """Return the commands that take the endpoint's ports back, whether they are there or not.

    Adding first, in the same transaction, makes the deletion succeed after a crash before the ports were published.
    """
    delete = [{"delete": {"element": _element(key, endpoint, port)}} for port in endpoint.ports]
    return publish(key, endpoint) + delete


def _element(key: str, endpoint: Endpoint, port: PublishedPort) -> dict[str, Any]:
    anywhere = port.host_ip == ANY
    place = [port.protocol, port.host_port] if anywhere else [port.host_ip, port.protocol, port.host_port]
    return {
        "family": "ip",
        "table": table_name(key),
        "name": "ports_any" if anywhere else "ports_at",
        "elem": [[{"concat": place}, {"concat": [endpoint.ipv4, port.container_port]}]],
    }


def _elements(endpoint: Endpoint) -> tuple[list[str], list[str]]:
    """Return the endpoint's elements of both maps, as a script spells them."""
    anywhere, at = [], []
    for port in endpoint.ports:
        place, target = f"{port.protocol} . {port.host_port}", f"{endpoint.ipv4} . {port.container_port}"
        if port.host_ip == ANY:
            anywhere.append(f"{place} : {target}")
        else:
            at.append(f"{port.host_ip} . {place} : {target}")
    return anywhere, at


def _map(name: str, key: str, elements: list[str]) -> list[str]:
    filled = [f"\t\telements = {{ {', '.join(elements)} }}"] if elements else []
    return [f"\tmap {name} {{", f"\t\ttype {key} : ipv4_addr . inet_service", *filled, "\t}"]


def _words(network: BridgeNetwork) -> dict[str, str]:
    return {"bridge": f'"{network.bridge}"', "subnet": network.subnet}


_TO_MAPS = (
    "fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @ports_at",
    "fib daddr type local dnat ip to meta l4proto . th dport map @ports_any",
)

_CHAINS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    # name, head, rules that come once, rules that come for each network
    (
        "guard",
        "filter hook prerouting priority -300",
        (),
        ("iifname {bridge} ip daddr 127.0.0.0/8 drop", "iifname {bridge} ip saddr 127.0.0.0/8 drop"),
    ),
    ("prerouting", "nat hook prerouting priority -100", ("ip daddr 127.0.0.0/8 return", *_TO_MAPS), ()),
    ("output", "nat hook output priority -100", _TO_MAPS, ()),
    (
        "forward",
        "filter hook forward priority 0",
        (),
        ("oifname {bridge} iifname != {bridge} ct state new ct status ! dnat drop",),
    ),
    (
        "postrouting",
        "nat hook postrouting priority 100",
        (),
        (
            "ip saddr {subnet} oifname != {bridge} masquerade",
            "ip saddr 127.0.0.0/8 oifname {bridge} ct status dnat masquerade",
            "ip saddr {subnet} oifname {bridge} ct status dnat masquerade",
        ),
    ),
)
