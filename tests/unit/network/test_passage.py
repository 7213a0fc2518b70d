"""Which rules go into chains of others, and where."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any, cast

import pytest

from wharf.kernel.nftables import Nftables
from wharf.network import passage
from wharf.network.rules import BridgeNetwork

_IP, _IP6, _FIREWALLD = passage.CHAINS
_V4 = BridgeNetwork("a", "docker0", "172.17.0.0/16")
_DUAL = BridgeNetwork("b", "br-b", "10.5.0.0/24", "fd00:5::/64")
_JUDGED = BridgeNetwork("c", "br-c", "10.6.0.0/24", judged=True)


def _done(commands: list[dict[str, Any]]) -> list[str]:
    """The commands in short: verb, family, what, and behind which rule."""
    found = []
    for command in commands:
        ((verb, about),) = command.items()
        rule = about["rule"]
        if verb == "delete":
            found.append(f"{verb} {rule['family']} {rule['handle']}")
            continue
        match = rule["expr"][0]["match"]
        behind = f" behind {rule['handle']}" if "handle" in rule else ""
        found.append(f"{verb} {rule['family']} {match['left']['meta']['key']} {match['right']}{behind}")
    return found


def _as_listed(commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**command["insert"]["rule"], "handle": n} for n, command in enumerate(reversed(commands), 7)]


def test_each_chain_that_is_there_lets_the_bridges_of_its_version_through() -> None:
    networks = [_V4, _DUAL, _JUDGED]

    assert _done(passage.plan("k", networks, {_IP6: []})) == ["insert ip6 oifname br-b", "insert ip6 iifname br-b"]
    assert len(passage.plan("k", networks, {_IP: []})) == len(passage.plan("k", networks, {_FIREWALLD: []})) == 4
    assert passage.plan("k", networks, {}) == []


def test_rules_that_are_there_stay_and_others_of_ours_go() -> None:
    there = _as_listed(passage.plan("k", [_V4], {_IP: []}))
    theirs = {"handle": 1, "expr": [{"drop": None}]}

    assert passage.plan("k", [_V4], {_IP: [*there, theirs]}) == []
    assert _done(passage.plan("k", [], {_IP: [*there, theirs]})) == ["delete ip 7", "delete ip 8"]
    assert passage.plan("other", [], {_IP: there}) == []
    changed = [{**there[0], "expr": [{"accept": None}]}, there[1]]
    assert _done(passage.plan("k", [_V4], {_IP: changed}))[:2] == ["delete ip 7", "delete ip 8"]


class _Firewall:
    """In place of libnftables: chains of others, of which one answers a change with an error."""

    def __init__(self, refusing: str, error: int) -> None:
        self.refusing, self.error = refusing, error
        self.changed: list[str] = []

    def run(self, commands: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        ((verb, about),) = commands[0].items()
        if verb == "list":
            return []
        family = about["rule"]["family"]
        if family == self.refusing:
            raise OSError(self.error, "no")
        self.changed.append(family)
        return []


@pytest.mark.parametrize("error", [errno.ENOENT, errno.EPERM])
@pytest.mark.parametrize("refusing", ["ip", "ip6", "inet"])
def test_each_chain_is_settled_by_itself(refusing: str, error: int) -> None:
    firewall = _Firewall(refusing, error)

    assert passage.settle(cast("Nftables", firewall), "k", [_DUAL])
    assert firewall.changed == [family for family in ("ip", "ip6", "inet") if family != refusing]


def test_other_errors_of_a_chain_are_told() -> None:
    with pytest.raises(OSError, match="no"):
        passage.settle(cast("Nftables", _Firewall("ip6", errno.ENOMEM)), "k", [_DUAL])


def test_users_own_chain_stays_first() -> None:
    jump = {"handle": 3, "expr": [{"jump": {"target": "DOCKER-USER"}}]}

    assert _done(passage.plan("k", [_V4], {_IP: [jump]})) == [
        "add ip oifname docker0 behind 3",
        "add ip iifname docker0 behind 3",
    ]
