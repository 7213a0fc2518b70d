from __future__ import annotations

from pathlib import Path

from wharf.network import rules
from wharf.network.endpoint import Endpoint, PublishedPort

_GOLDEN = Path(__file__).parent / "golden" / "firewall.nft"


def _endpoint(*ports: PublishedPort) -> Endpoint:
    return Endpoint(
        id="e",
        container_id="c",
        network_id="n",
        network_name="bridge",
        sandbox="/run/x",
        ipv4="172.17.0.2",
        prefix_length=16,
        gateway="172.17.0.1",
        mac="02:42:ac:11:00:02",
        ports=ports,
        host_link="veth0",
    )


_WEB = PublishedPort(80, "tcp", "0.0.0.0", 8080)
_LOCAL_DNS = PublishedPort(53, "udp", "127.0.0.1", 5353)


def test_whole_firewall_is_as_recorded() -> None:
    script = rules.build("k", [rules.BridgeNetwork("docker0", "172.17.0.0/16")], [_endpoint(_WEB, _LOCAL_DNS)])

    assert script == _GOLDEN.read_text()


def test_rules_do_not_grow_with_ports() -> None:
    many = [_endpoint(PublishedPort(80, "tcp", "0.0.0.0", port)) for port in range(1000, 2000)]
    networks = [rules.BridgeNetwork("docker0", "172.17.0.0/16")]

    assert len(rules.build("k", networks, many).splitlines()) == len(
        rules.build("k", networks, many[:1]).splitlines()
    )


def test_port_on_all_addresses_goes_to_the_map_without_address() -> None:
    assert rules.publish("k", _endpoint(_WEB)) == [
        {
            "add": {
                "element": {
                    "family": "ip",
                    "table": "wharf_k",
                    "name": "ports_any",
                    "elem": [[{"concat": ["tcp", 8080]}, {"concat": ["172.17.0.2", 80]}]],
                }
            }
        }
    ]


def test_withdrawal_adds_first_so_that_it_cannot_fail() -> None:
    kinds = [next(iter(command)) for command in rules.withdraw("k", _endpoint(_WEB, _LOCAL_DNS))]

    assert kinds == ["add", "add", "delete", "delete"]


def test_no_ports_need_no_transaction() -> None:
    assert rules.publish("k", _endpoint()) == rules.withdraw("k", _endpoint()) == []
