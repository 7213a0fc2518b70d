from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from wharf.network import pools, rules
from wharf.network.endpoint import Endpoint, PublishedPort

_GOLDEN = Path(__file__).parent / "golden" / "firewall.nft"


def _endpoint(*ports: PublishedPort) -> Endpoint:
    return Endpoint(
        id="e",
        container_id="c",
        network_id="n",
        network_name="bridge",
        sandbox="/run/x",
        ipv6="fd00::2",
        ipv4="172.17.0.2",
        prefix_length=16,
        gateway="172.17.0.1",
        mac="02:42:ac:11:00:02",
        ports=ports,
        host_link="veth0",
    )


_BRIDGE = rules.BridgeNetwork("n", "docker0", "172.17.0.0/16", "fd00::/64")
_NETWORKS = {"n": _BRIDGE}
_WEB = PublishedPort(80, "tcp", "0.0.0.0", 8080)
_LOCAL_DNS = PublishedPort(53, "udp", "127.0.0.1", 5353)
_WEB6 = PublishedPort(80, "tcp", "::", 8080)


def test_whole_firewall_is_as_recorded() -> None:
    inner = rules.BridgeNetwork("i", "br-i", "10.0.0.0/24", internal=True)
    routed = rules.BridgeNetwork("r", "br-r", "10.1.0.0/24", mode4="routed")
    leaving = rules.BridgeNetwork("s", "br-s", "10.2.0.0/24", source4="192.0.2.1", mode6="nat-unprotected")
    endpoints = [_endpoint(_WEB, _LOCAL_DNS, _WEB6), replace(_endpoint(_WEB), network_id="r", ipv4="10.1.0.2")]
    script = rules.build("k", [_BRIDGE, inner, routed, leaving], endpoints)

    assert script == _GOLDEN.read_text()


def test_rules_do_not_grow_with_ports() -> None:
    many = [_endpoint(PublishedPort(80, "tcp", "0.0.0.0", port)) for port in range(1000, 2000)]
    networks = [_BRIDGE]

    assert len(rules.build("k", networks, many).splitlines()) == len(
        rules.build("k", networks, many[:1]).splitlines()
    )


def test_port_on_all_addresses_goes_to_the_map_without_address() -> None:
    assert rules.publish("k", _NETWORKS, _endpoint(_WEB)) == [
        {
            "add": {
                "element": {
                    "family": "inet",
                    "table": "wharf_k",
                    "name": "ports4_any",
                    "elem": [[{"concat": ["tcp", 8080]}, {"concat": ["172.17.0.2", 80]}]],
                }
            }
        }
    ]


def test_port_of_a_routed_network_is_opened_where_it_is() -> None:
    routed = {"n": rules.BridgeNetwork("n", "br", "172.17.0.0/16", mode4="routed")}
    (command,) = rules.publish("k", routed, _endpoint(_WEB))

    assert command["add"]["element"]["elem"] == [{"concat": ["172.17.0.2", "tcp", 80]}]


def test_port_of_the_container_that_two_of_the_host_lead_to_is_opened_once() -> None:
    direct = {"n": rules.BridgeNetwork("n", "br", "172.17.0.0/16", direct=True)}
    two = _endpoint(_WEB, replace(_WEB, host_port=8081), _LOCAL_DNS)
    opened = [
        element["elem"]
        for command in rules.withdraw("k", direct, two)
        if "delete" in command and (element := command["delete"]["element"])["name"] == "open4"
    ]

    assert opened == [[{"concat": ["172.17.0.2", "tcp", 80]}]]


def test_packets_with_the_mark_are_accepted_before_anything_is_dropped() -> None:
    script = rules.build("k", [_BRIDGE], [], "7")

    assert "priority 0; policy accept;\n\t\tmeta mark & 0xffffffff == 0x7 accept\n" in script
    assert dict(rules.counts("k", [_BRIDGE], "7"))["forward"] == dict(rules.counts("k", [_BRIDGE]))["forward"] + 1


def test_withdrawal_adds_first_so_that_it_cannot_fail() -> None:
    kinds = [next(iter(command)) for command in rules.withdraw("k", _NETWORKS, _endpoint(_WEB, _LOCAL_DNS))]

    assert kinds == ["add", "add", "delete", "delete"]


def test_no_ports_need_no_transaction() -> None:
    assert rules.publish("k", _NETWORKS, _endpoint()) == rules.withdraw("k", _NETWORKS, _endpoint()) == []


def test_port_on_loopback_of_version_6_is_also_at_the_stand_in() -> None:
    commands = rules.publish("k", _NETWORKS, _endpoint(PublishedPort(80, "tcp", "::1", 8080)))
    elements = [command["add"]["element"] for command in commands]

    assert [(e["name"], e["elem"][0][0]["concat"][0]) for e in elements if e["name"] != "loopback6"] == [
        ("ports6_at", "::1"),
        ("ports6_at", pools.loopback_stand_in("k")),
    ]
    assert [e["elem"] for e in elements if e["name"] == "loopback6"] == [[{"concat": ["tcp", 8080]}]]


@pytest.mark.parametrize(
    ("address", "known"), [("::", True), ("::1", True), ("2001:db8::1", False), ("0.0.0.0", False)]
)
def test_loopback_of_version_6_knows_the_ports_that_are_published_there(address: str, known: bool) -> None:
    commands = rules.publish("k", _NETWORKS, _endpoint(PublishedPort(80, "tcp", address, 8080)))

    assert ("loopback6" in {command["add"]["element"]["name"] for command in commands}) == known


def test_no_map_is_asked_for_as_if_it_were_a_set() -> None:
    script = rules.build("k", [_BRIDGE, replace(_BRIDGE, judged=True)], [])
    maps = re.findall(r"\tmap (\S+) {", script)

    assert "ports4_any" in maps
    assert [
        line for line in script.splitlines() for name in maps if f" @{name}" in line and f"map @{name}" not in line
    ] == []


def test_judged_networks_have_maps_of_their_own_and_a_way_round() -> None:
    judged = {"n": replace(_BRIDGE, judged=True)}
    script = rules.build("k", judged.values(), [_endpoint(_WEB)])
    plain = rules.build("k", [_BRIDGE], [_endpoint(_WEB)])

    names = [command["add"]["element"]["name"] for command in rules.publish("k", judged, _endpoint(_WEB))]
    assert names == ["judged4_any", "doors4_any"]
    assert ("chain judge" in script, "chain judge" in plain) == (True, False)
    assert ('dup to 192.0.0.8 device "wjk-out"' in script, "dup" in plain) == (True, False)


def test_chains_have_as_many_rules_as_are_counted() -> None:
    for network in (_BRIDGE, replace(_BRIDGE, judged=True)):
        script = rules.build("k", [network], [])
        table = script[script.index("table inet wharf_k {") :].partition("\n}")[0]
        chains = [part.partition("\n\t}")[0].splitlines() for part in table.split("\tchain ")[1:]]

        assert rules.counts("k", [network]) == [(lines[0].split()[0], len(lines) - 2) for lines in chains]
