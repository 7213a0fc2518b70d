"""Published ports that obey the host's own firewall (``publish = firewall``): its INPUT rules judge who comes in.

A translated packet is forwarded, and a host's INPUT rules never see it: that is how Docker's ports come past ufw.
Here the first packet of a connection from elsewhere is left as it is, and goes the way of a packet for a server of
the host's own. What is still there behind all the host's filters (priority 250) is noted as admitted, and sent, as it
was, through a pair of links back into the host: now it is translated, and all that follows with it. The client's
address is kept, nothing but the kernel is under way, and what the host's rules drop or reject is dropped or rejected.
Its FORWARD rules hold too, as for every forwarded packet; a connection's first one comes in by the pair's far end.
(nft(8): ``dup``.)
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

from wharf.kernel import rtnetlink
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Rtnetlink
from wharf.network import sandbox

PRIORITY = 250
_MARK = 0x8000000  # between our own two chains alone: whoever comes after has it no more
_SYSCTL = Path("/proc/sys/net")
_MAC = "02:42:00:00:00:01"
_GATEWAYS = {4: "192.0.0.8", 6: "fe80::8"}  # RFC 7600's dummy address; both are known on the pair alone


def links(key: str) -> tuple[str, str]:
    """Return the names of the pair: where packets are sent out, and where they come in again."""
    return f"wj{key}-out", f"wj{key}-in"


def sets() -> Iterator[tuple[str, str, str]]:
    """Yield the sets of those who were admitted: name, kind, declaration."""
    for version in (4, 6):
        address = f"ipv{version}_addr"
        kind = f"type {address} . {address} . inet_proto . inet_service . inet_service"
        yield f"admitted{version}", "set", f"{kind}; flags dynamic,timeout; timeout 10s; size 65536"


def translation() -> tuple[str, ...]:
    """Return the rules, for nat prerouting, that translate what was admitted, and what comes from containers."""
    found = []
    for version, ip in ((4, "ip"), (6, "ip6")):
        for condition in (f"{_flow(ip)} @admitted{version}", "iifname @bridges fib daddr type local"):
            to = f"dnat {ip} to"
            found.append(f"{condition} {to} {ip} daddr . meta l4proto . th dport map @judged{version}_at")
            found.append(
                f"{condition} meta nfproto ipv{version} {to} meta l4proto . th dport map @judged{version}_any"
            )
    return tuple(found)


def chain(key: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the chain behind the host's INPUT filters: name, head, rules."""
    _, come_in = links(key)
    found = [f'iifname {{ "lo", "{come_in}" }} return', "iifname @bridges return"]
    for version, ip in ((4, "ip"), (6, "ip6")):
        admit = f"add @admitted{version} {{ {_flow(ip)} }} meta mark set meta mark | {_MARK:#x}"
        found.append(f"{ip} daddr . meta l4proto . th dport @doors{version}_at {admit}")
        found.append(f"meta nfproto ipv{version} meta l4proto . th dport @doors{version}_any {admit}")
    return "judge", f"filter hook input priority {PRIORITY}", tuple(found)


def arrival(key: str) -> str:
    """Return the rule, for raw prerouting, by which a packet forgets what was done to it."""
    return f'iifname "{links(key)[1]}" meta mark set meta mark & {0xFFFFFFFF ^ _MARK:#x}'


def tables(key: str, name: str) -> list[str]:
    """Return the lines of the two tables that send packets round: ``dup`` is of one version of IP."""
    out, _ = links(key)
    lines = []
    for version, family in ((4, "ip"), (6, "ip6")):
        rule = f'meta mark & {_MARK:#x} != 0 dup to {_GATEWAYS[version]} device "{out}" drop'
        lines += [
            *removal(name, family),
            f"table {family} {name} {{",
            "\tchain round {",
            f"\t\ttype filter hook input priority {PRIORITY + 1}; policy accept;",
            f"\t\t{rule}",
            "\t}",
            "}",
        ]
    return lines


def removal(name: str, *families: str) -> list[str]:
    """Return the lines that remove those tables, whether they are there or not."""
    return [
        line
        for family in families or ("ip", "ip6")
        for line in (f"table {family} {name}", f"delete table {family} {name}")
    ]


def ensure(host: Rtnetlink, key: str) -> int:
    """Make the pair of links and return the first one's index; idempotent. OSError when the kernel refuses."""
    out, come_in = links(key)
    if host.link(out) is None:
        host.execute(
            rtnetlink.new_veth_here(out, peer=come_in, peer_mac=_MAC),
            rtnetlink.set_alias(out, f"wharf:{key}"),
        )
    (_SYSCTL / "ipv4/conf" / come_in / "rp_filter").write_text("0")  # the clients are elsewhere
    link = host.link(out)
    assert link, f"{out} was just made"
    host.execute(
        rtnetlink.link_up(out),
        rtnetlink.link_up(come_in),
        # Else the kernel would ask there for the packet's own destination.
        rtnetlink.add_neighbour_route(_GATEWAYS[4], link.number),
    )
    known = [rtnetlink.set_neighbour(link.number, gateway, _MAC, permanent=True) for gateway in _GATEWAYS.values()]
    with suppress_errno(errno.EAFNOSUPPORT, errno.EOPNOTSUPP):  # a kernel without IPv6
        host.execute(*known)
    sandbox.await_carrier(host, out)
    return link.number


def remove(host: Rtnetlink, key: str) -> None:
    """Remove the pair; idempotent."""
    if host.link(links(key)[0]):
        with suppress_errno(errno.ENODEV):
            host.execute(rtnetlink.delete_link(links(key)[0]))


def _flow(ip: str) -> str:
    return f"{ip} saddr . {ip} daddr . meta l4proto . th sport . th dport"
