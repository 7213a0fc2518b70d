"""The way through a host's own FORWARD chain, which ufw and many admins let drop: rules of ours in a chain of others.

In nftables an accept in one table does not undo a drop in another one. So published ports and containers' ways out
need an accept where the drop is: for each bridge two rules, marked by their comment, in the chains that iptables,
ufw and firewalld have. What a bridge lets in is decided by our own table all the same, whose drops hold. Chains that
somebody has made with nft himself are left as they are: their verdicts are his. (libnftables-json(5))
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from wharf.kernel.libc import suppress_errno
from wharf.kernel.nftables import Nftables
from wharf.network.rules import BridgeNetwork, Command

Chain = tuple[str, str, str]  # family, table, name

CHAINS: Final[Mapping[Chain, tuple[int, ...]]] = {
    ("ip", "filter", "FORWARD"): (4,),
    ("ip6", "filter", "FORWARD"): (6,),
    ("inet", "firewalld", "filter_FORWARD"): (4, 6),
}
"""Chains that others forward by → the versions of IP that pass them."""
TABLES: Final = frozenset(table for _, table, _ in CHAINS)
_USERS = "DOCKER-USER"  # whoever jumps there first wants that to be asked before us

Rules = Mapping[Chain, Sequence[Mapping[str, Any]]]
"""The rules of each chain that is there, as libnftables lists them."""


def observe(nft: Nftables) -> Rules:
    """Return the chains that are there, with their rules; blocks for as long as they are."""
    found: dict[Chain, Sequence[Mapping[str, Any]]] = {}
    for family, table, name in CHAINS:
        with suppress_errno(errno.ENOENT):
            listed = nft.run([{"list": {"chain": {"family": family, "table": table, "name": name}}}])
            found[family, table, name] = [each["rule"] for each in listed if "rule" in each]
    return found


def plan(key: str, networks: Iterable[BridgeNetwork], present: Rules) -> list[Command]:
    """Return the commands that make the rules of ``key`` those that ``networks`` need; none when they are. Pure.

    A network whose ports obey the host's firewall has none.
    """
    passing = [network for network in networks if not network.judged]
    commands: list[Command] = []
    for chain, rules in present.items():
        wanted = list(_wanted(passing, CHAINS[chain]))
        own = [rule for rule in rules if rule.get("comment") == _comment(key)]
        if [_spelt(rule) for rule in own] == wanted:
            continue
        place = _place(chain)
        commands += [{"delete": {"rule": {**place, "handle": rule["handle"]}}} for rule in own]
        behind = _behind(rules)
        for direction, bridge in reversed(wanted):  # each comes before those that were put in before
            rule = {**place, "comment": _comment(key), "expr": _expression(direction, bridge)}
            commands.append({"add": {"rule": {**rule, "handle": behind}}} if behind else {"insert": {"rule": rule}})
    return commands


def settle(nft: Nftables, key: str, networks: Iterable[BridgeNetwork]) -> bool:
    """Make the rules what ``networks`` need, in one transaction a chain; return whether they were not. Blocks.

    A chain that its owner removes meanwhile needs none, and one that is its owner's alone (``flags owner``,
    as firewalld's may be) can have none.
    """
    networks, changed = tuple(networks), False
    for chain, rules in observe(nft).items():
        if commands := plan(key, networks, {chain: rules}):
            with suppress_errno(errno.ENOENT, errno.EPERM):
                nft.run(commands)
                changed = True
    return changed


def _wanted(networks: Iterable[BridgeNetwork], versions: Sequence[int]) -> Iterator[tuple[str, str]]:
    for network in networks:
        if (4 in versions and network.subnet4) or (6 in versions and network.subnet6):
            yield "iifname", network.bridge
            yield "oifname", network.bridge


def _comment(key: str) -> str:
    return f"wharf:{key}"


def _place(chain: Chain) -> dict[str, Any]:
    return dict(zip(("family", "table", "chain"), chain, strict=True))


def _expression(direction: str, bridge: str) -> list[Command]:
    return [{"match": {"op": "==", "left": {"meta": {"key": direction}}, "right": bridge}}, {"accept": None}]


def _spelt(rule: Mapping[str, Any]) -> tuple[str, str]:
    """Return which packets a rule of ours is for; an empty pair for one that somebody has changed."""
    match rule.get("expr"):
        case [{"match": {"left": {"meta": {"key": str(direction)}}, "right": str(bridge)}}, {"accept": None}]:
            return direction, bridge
    return "", ""


def _behind(rules: Sequence[Mapping[str, Any]]) -> int:
    """Return the handle of the rule by which users have their own say first; 0 when there is none."""
    return next((int(rule["handle"]) for rule in rules if {"jump": {"target": _USERS}} in rule.get("expr", [])), 0)
