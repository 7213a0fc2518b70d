"""The firewall of one engine, as nftables commands. Pure: networks and endpoints in, one transaction out.

The table ``inet wharf_<key>``::

    map ports4_any    protocol . port           → container address . port      published on all addresses
    map ports4_at     address . protocol . port → container address . port      published on one address
    set open4         container address . protocol . port                       who is reached by its own address
    set local4        subnet . bridge                                           who is at home where
    map judged4_...   as ports4_...                         published as far as the host's own firewall lets them
    set doors4_...    the keys of judged4_...               for who asks whether, and not where to
    (the same with 6 for IPv6)
    set loopback6     protocol . port                       published on ::1, be it with all addresses

    guard            prerouting, raw     a bridge may not speak to or from 127/8 (its route_localnet would let it);
                                         nobody but this host to the stand-in of ::1
    loopback_out     output, raw         ::1 → its stand-in, where a port is published
    loopback_in      input, last         and back, before a socket is looked for
    prerouting       dstnat              packets to this host's addresses → maps; 127/8 from a wire is left to the
                                         kernel, which drops it
    output           -100                the host's own packets → maps, 127/8 and ::1 included
    forward          filter              what enters a bridge from elsewhere must be an answer or a published port;
                                         nothing enters or leaves an internal network; what stays on a bridge is
                                         seen here where bridge-nf-call-iptables is on
    postrouting      srcnat              masquerade what leaves a subnet for elsewhere; and published traffic whose
                                         client is this host's loopback or sits on the same bridge, so that the
                                         answer comes back through here (whatever bridge-nf-call-iptables says)

The stand-in: the kernel takes no packet from a bridge that bears ::1 (RFC 4291, 2.5.3; IPv6 has no route_localnet),
so the answer to a connection that was translated would be lost. An address of the engine's own, which its bridges
have, takes the place of ::1 while such a packet is under way, and in the packets that ICMPv6 errors are about, which
nftables writes without a checksum: the two addresses have the same one.

Sets and maps keep the rules as many as they are, however many networks there are and ports are published. No map is
asked for as if it were a set: not all kernels can do that (6.1 says EINVAL).
(libnftables-json(5); `fib` and `dnat ... map`: nft(8).)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from wharf.network import judging, options, pools
from wharf.network.endpoint import Endpoint, PublishedPort

Command = dict[str, Any]

ANY = "0.0.0.0"  # noqa: S104 - the word for "all addresses", nothing is bound here
ANY6 = "::"
LOOPBACK6 = "::1"


@dataclass(frozen=True, slots=True)
class BridgeNetwork:
    """What the firewall needs to know of a network."""

    id: str
    bridge: str
    subnet4: str = ""  # CIDR
    subnet6: str = ""
    internal: bool = False
    icc: bool = True  # its containers reach each other
    mode4: str = "nat"  # see options.GATEWAY_MODES
    mode6: str = "nat"
    masquerade: bool = True
    direct: bool = False  # published ports are reached by the containers' own addresses, too
    judged: bool = False  # published ports obey the host's own firewall
    source4: str = ""  # what outgoing packets bear, in place of the interface's address
    source6: str = ""


Networks = Mapping[str, BridgeNetwork]
"""By id."""


def table_name(key: str) -> str:
    """Return the name of the engine's table."""
    return f"wharf_{key}"


def build(key: str, networks: Iterable[BridgeNetwork], endpoints: Iterable[Endpoint], mark: str = "") -> str:
    """Return the script (nft(8)) that makes the whole table anew, in place of what it held: one transaction.

    ``mark`` is that of packets which are let into bridges, whatever they are: see ``options.accepted_mark``.

    A script and not JSON: libnftables 1.0.6 crashes on a JSON rule that translates by a map of address and port.
    """
    by_id = {network.id: network for network in networks}
    sets = {name: list(found) for name, found in _network_sets(by_id.values())}
    for endpoint in endpoints:
        for name, element in elements(key, by_id, endpoint):
            sets[name].append(_spelt(element))
    name, self6 = table_name(key), pools.loopback_stand_in(key)
    lines = [f"table inet {name}", f"delete table inet {name}", f"table inet {name} {{", f"\tdefine self6 = {self6}"]
    for set_name, kind, declaration in (*((n, *d) for n, d in _SETS.items()), *judging.sets()):
        filled = [f"\t\telements = {{ {', '.join(sets[set_name])} }}"] if sets.get(set_name) else []
        lines += [f"\t{kind} {set_name} {{", f"\t\t{declaration}", *filled, "\t}"]
    judged = any(network.judged for network in by_id.values())
    for chain, head, chain_rules in _chains(key, judged=judged, mark=mark):
        lines += [
            f"\tchain {chain} {{",
            f"\t\ttype {head}; policy accept;",
            *(f"\t\t{r}" for r in chain_rules),
            "\t}",
        ]
    others = judging.tables(key, name) if judged else judging.removal(name)
    return "\n".join([*lines, "}", *others, ""])


def remove(key: str) -> list[Command]:
    """Return the commands that remove the table, whether it is there or not."""
    tables = [{"family": family, "name": table_name(key)} for family in ("inet", "ip", "ip6")]
    return [{verb: {"table": table}} for table in tables for verb in ("add", "delete")]


def publish(key: str, networks: Networks, endpoint: Endpoint) -> list[Command]:
    """Return the commands that publish the endpoint's ports; none for none."""
    return [{"add": {"element": _json(key, *found)}} for found in elements(key, networks, endpoint)]


def withdraw(key: str, networks: Networks, endpoint: Endpoint) -> list[Command]:
    """Return the commands that take the endpoint's ports back, whether they are there or not.

    Adding first, in the same transaction, makes the deletion succeed after a crash before the ports were published.
    """
    delete = [{"delete": {"element": _json(key, *found)}} for found in elements(key, networks, endpoint)]
    return publish(key, networks, endpoint) + delete


def counts(key: str, networks: Iterable[BridgeNetwork], mark: str = "") -> list[tuple[str, int]]:
    """Return how many rules each chain of the table has."""
    judged = any(network.judged for network in networks)
    return [(chain, len(found)) for chain, _, found in _chains(key, judged=judged, mark=mark)]


def _chains(key: str, *, judged: bool, mark: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the chains: name, head, rules; what is judged by the host's own firewall costs the others nothing."""
    first = {"forward": (f"{options.accepted_mark(mark)} accept",)} if mark else {}
    last = {"guard": (judging.arrival(key),), "prerouting": judging.translation()} if judged else {}
    chains = [(name, head, (*first.get(name, ()), *found, *last.get(name, ()))) for name, head, found in _CHAINS]
    return [*chains, judging.chain(key)] if judged else chains


Words = tuple[str | int, ...]
Element = tuple[Words, Words]  # key, value; a set's has no value


def elements(key: str, networks: Networks, endpoint: Endpoint) -> list[tuple[str, Element]]:
    """Return the names of sets and maps, each with an element, for an endpoint's ports; each once.

    Two ports of the host may lead to one of the container's.
    """
    return list(dict.fromkeys(_elements(key, networks, endpoint)))


def _elements(key: str, networks: Networks, endpoint: Endpoint) -> Iterator[tuple[str, Element]]:
    network = networks.get(endpoint.network_id)
    for port in endpoint.ports if network else ():
        assert network is not None
        address = endpoint.ipv6 if port.version == 6 else endpoint.ipv4
        mode = network.mode6 if port.version == 6 else network.mode4
        if not address:
            continue
        if mode == "routed" or (network.direct and not ip_address(port.host_ip).is_loopback):
            yield f"open{port.version}", ((address, port.protocol, port.container_port), ())
        if mode != "routed":
            maps = f"{'judged' if network.judged else 'ports'}{port.version}"
            name, element = _mapped(maps, port, address, port.host_ip)
            yield name, element
            if network.judged:
                yield name.replace("judged", "doors"), (element[0], ())
            if port.host_ip in (ANY6, LOOPBACK6):
                yield "loopback6", ((port.protocol, port.host_port), ())
            if port.host_ip == LOOPBACK6:
                yield _mapped(maps, port, address, pools.loopback_stand_in(key))


def _mapped(maps: str, port: PublishedPort, address: str, host_ip: str) -> tuple[str, Element]:
    value = (address, port.container_port)
    if host_ip in (ANY, ANY6):
        return f"{maps}_any", ((port.protocol, port.host_port), value)
    return f"{maps}_at", ((host_ip, port.protocol, port.host_port), value)


def _json(key: str, name: str, element: Element) -> dict[str, Any]:
    place, value = ({"concat": list(words)} for words in element)
    written = [[place, value]] if element[1] else [place]
    return {"family": "inet", "table": table_name(key), "name": name, "elem": written}


def _spelt(element: Element) -> str:
    place, value = (" . ".join(map(str, words)) for words in element)
    return f"{place} : {value}" if value else place


def _network_sets(networks: Iterable[BridgeNetwork]) -> Iterator[tuple[str, Iterator[str]]]:
    known = list(networks)
    yield "bridges", (f'"{n.bridge}"' for n in known)
    yield "same", (f'"{n.bridge}" . "{n.bridge}"' for n in known)
    yield "shy", (f'"{n.bridge}" . "{n.bridge}"' for n in known if not n.icc)
    yield "internal", (f'"{n.bridge}"' for n in known if n.internal)
    yield "loopback6", iter(())
    for version in (4, 6):
        facts = [(n, *_of_version(n, version)) for n in known]
        yield f"local{version}", (f'{subnet} . "{n.bridge}"' for n, subnet, _, _ in facts if subnet)
        yield f"unprotected{version}", (f'"{n.bridge}"' for n, _, mode, _ in facts if mode == "nat-unprotected")
        yield f"routed{version}", (f'"{n.bridge}"' for n, _, mode, _ in facts if mode == "routed")
        leaving = [
            (subnet, source)
            for n, subnet, mode, source in facts
            if subnet and n.masquerade and not n.internal and mode in ("nat", "nat-unprotected")
        ]
        yield f"masquerade{version}", (subnet for subnet, source in leaving if not source)
        yield f"source{version}", (f"{subnet} : {source}" for subnet, source in leaving if source)
        for name in ("any", "at"):
            yield f"ports{version}_{name}", iter(())
            yield f"judged{version}_{name}", iter(())
            yield f"doors{version}_{name}", iter(())
        yield f"open{version}", iter(())


def _of_version(network: BridgeNetwork, version: int) -> tuple[str, str, str]:
    if version == 4:
        return network.subnet4, network.mode4, network.source4
    return network.subnet6, network.mode6, network.source6


_ANY_PORTS = "type inet_proto . inet_service : ipv{}_addr . inet_service"
_PORTS_AT = "type ipv{0}_addr . inet_proto . inet_service : ipv{0}_addr . inet_service"
_SETS = {
    "bridges": ("set", "type ifname"),
    "same": ("set", "type ifname . ifname"),
    "shy": ("set", "type ifname . ifname"),
    "internal": ("set", "type ifname"),
    "loopback6": ("set", "type inet_proto . inet_service"),
    **{
        name.format(v): (kind, declaration.format(v))
        for v in (4, 6)
        for name, kind, declaration in (
            ("local{}", "set", "type ipv{}_addr . ifname; flags interval"),
            ("masquerade{}", "set", "type ipv{}_addr; flags interval"),
            ("source{}", "map", "type ipv{0}_addr : ipv{0}_addr; flags interval"),
            ("unprotected{}", "set", "type ifname"),
            ("routed{}", "set", "type ifname"),
            ("open{}", "set", "type ipv{}_addr . inet_proto . inet_service"),
            ("ports{}_any", "map", _ANY_PORTS),
            ("ports{}_at", "map", _PORTS_AT),
            ("judged{}_any", "map", _ANY_PORTS),
            ("judged{}_at", "map", _PORTS_AT),
            ("doors{}_any", "set", _ANY_PORTS.partition(" : ")[0]),
            ("doors{}_at", "set", _PORTS_AT.partition(" : ")[0]),
        )
    },
}


def _to_maps(maps: str) -> tuple[str, ...]:
    return tuple(
        f"fib daddr type local {rule}"
        for version, ip in ((4, "ip"), (6, "ip6"))
        for rule in (
            f"dnat {ip} to {ip} daddr . meta l4proto . th dport map @{maps}{version}_at",
            f"meta nfproto ipv{version} dnat {ip} to meta l4proto . th dport map @{maps}{version}_any",
        )
    )


_ERRORS6 = "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }"
# The packet that an error is about is in it, behind its own 8 bytes (RFC 4443): source and destination as they left.
_ABOUT_LOOPBACK6 = "@th,128,128 set 1 @th,256,128 set 1"

_CHAINS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "guard",
        "filter hook prerouting priority -300",
        (
            "ip daddr 127.0.0.0/8 iifname @bridges drop",
            "ip saddr 127.0.0.0/8 iifname @bridges drop",
            'ip6 daddr $self6 iifname != "lo" drop',
            'ip6 saddr $self6 iifname != "lo" drop',
        ),
    ),
    (
        "loopback_out",
        "filter hook output priority -300",
        (
            "ip6 daddr ::1 meta l4proto . th dport @loopback6 ip6 daddr set $self6",
            "ip6 saddr ::1 ip6 daddr $self6 ip6 saddr set $self6",
        ),
    ),
    (
        "loopback_in",
        "filter hook input priority 300",
        (
            f"{_ERRORS6} ip6 daddr $self6 {_ABOUT_LOOPBACK6}",
            "ip6 daddr $self6 ip6 daddr set ::1",
            "ip6 saddr $self6 ip6 saddr set ::1",
        ),
    ),
    ("prerouting", "nat hook prerouting priority -100", ("ip daddr 127.0.0.0/8 return", *_to_maps("ports"))),
    ("output", "nat hook output priority -100", (*_to_maps("ports"), *_to_maps("judged"))),
    (
        "forward",
        "filter hook forward priority 0",
        (
            "iifname . oifname @shy ct status ! dnat drop",
            "iifname . oifname @same accept",
            "iifname @internal drop",
            "oifname @internal drop",
            "ct state established,related accept",
            "meta nfproto ipv4 oifname @unprotected4 accept",
            "meta nfproto ipv6 oifname @unprotected6 accept",
            "ip daddr . meta l4proto . th dport @open4 accept",
            "ip6 daddr . meta l4proto . th dport @open6 accept",
            "oifname @routed4 icmp type echo-request accept",
            "oifname @routed6 icmpv6 type echo-request accept",
            "oifname @bridges ct status ! dnat drop",
        ),
    ),
    (
        "postrouting",
        "nat hook postrouting priority 100",
        (
            "ip saddr 127.0.0.0/8 oifname @bridges ct status dnat masquerade",
            "ip6 saddr $self6 oifname @bridges ct status dnat masquerade",
            "ip saddr . oifname @local4 ct status dnat masquerade",
            "ip6 saddr . oifname @local6 ct status dnat masquerade",
            "ip saddr . oifname @local4 return",
            "ip6 saddr . oifname @local6 return",
            "snat ip to ip saddr map @source4",
            "snat ip6 to ip6 saddr map @source6",
            "ip saddr @masquerade4 masquerade",
            "ip6 saddr @masquerade6 masquerade",
        ),
    ),
)
