"""Published ports and ways out of a host whose own FORWARD chain drops, as ufw's does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from tests.root.network.machines import (
    WIRE_HERE,
    WIRE_HERE6,
    WIRE_THERE,
    WIRE_THERE6,
    A,
    B,
    World,
    ruleset,
    talk,
    tcp_server,
)

from wharf.kernel.nftables import Nftables
from wharf.network.endpoint import Endpoint

pytestmark = pytest.mark.root

_SHUT = r"timed out|No route"
_CHAIN = "type filter hook forward priority filter; policy drop;"
_IPTABLES = f"""table ip filter {{
\tchain FORWARD {{
\t\t{_CHAIN}
\t\tip saddr 203.0.113.9 drop
\t}}
}}
table ip6 filter {{
\tchain FORWARD {{
\t\t{_CHAIN}
\t}}
}}
"""
_FIREWALLD = """table inet firewalld {
\tchain filter_FORWARD {
\t\ttype filter hook forward priority filter + 10; policy accept;
\t\tct state established,related accept
\t\treject with icmpx admin-prohibited
\t}
}
"""


@pytest.fixture(params=[_IPTABLES, _FIREWALLD], ids=["iptables", "firewalld"])
def shut(request: pytest.FixtureRequest) -> Iterator[str]:
    """A host that forwards nothing; its ruleset before there are containers."""
    _nft(request.param)
    before = ruleset()
    yield before
    _nft("flush ruleset")


def _nft(script: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=script, text=True, check=True)


def _attach(world: World, **options: str) -> Endpoint:
    world.create("dual", "10.5.0.0/24", "fd00:5::/64", EnableIPv6=True, Options=options)
    return world.attach(A, "8080:80", "8086:86", network="dual")


def test_published_port_and_way_out_are_open_and_nothing_is_left(world: World, wire: str, shut: str) -> None:
    made = _attach(world)
    for address, here, there, port in (
        ("0.0.0.0", WIRE_HERE, WIRE_THERE, 80),
        ("::", WIRE_HERE6, WIRE_THERE6, 86),
    ):
        with tcp_server(made.sandbox, port, address) as server:
            assert talk(server, wire, (here, 8000 + port)) == there
        with tcp_server(wire, port, address) as server:
            assert talk(server, made.sandbox, (there, port)) == here
    with tcp_server(made.sandbox, 81) as server, pytest.raises(OSError, match=_SHUT):
        talk(server, wire, (made.ipv4, 81), timeout_s=0.3)

    world.release(A)
    world.remove("dual")
    world.networks._fabric.remove_all()
    assert ruleset() == shut


def test_network_that_obeys_the_hosts_firewall_has_no_passage(world: World, wire: str, shut: str) -> None:
    made = _attach(world, **{"wharf.network.publish": "firewall"})
    with tcp_server(made.sandbox, 80) as server, pytest.raises(OSError, match=_SHUT):
        talk(server, wire, (WIRE_HERE, 8080), timeout_s=0.3)

    assert f"wharf:{world.data.key}" not in ruleset()


def test_rules_of_an_engine_that_was_killed_are_taken_over_or_away(world: World, wire: str, shut: str) -> None:
    made = _attach(world)
    before = ruleset()
    world.reborn()
    world.start(A)
    assert ruleset() == before
    with tcp_server(made.sandbox, 80) as server:
        talk(server, wire, (WIRE_HERE, 8080))

    world.release(A)
    world.remove("dual")
    world.reborn()
    world.start()
    assert ruleset() == shut


def test_chain_that_is_its_owners_alone_is_left_to_him_and_the_others_are_settled(world: World, wire: str) -> None:
    owner = Nftables()
    owner.run_script(_IPTABLES.replace("203.0.113.9", "203.0.113.7"))
    owner.run_script(_FIREWALLD.replace("{\n", "{\n\tflags owner;\n", 1))
    theirs = ruleset()[ruleset().index("table inet firewalld") :].partition("\n}")[0]
    try:
        made = _attach(world)

        assert theirs in ruleset()
        assert ruleset().count(f'comment "wharf:{world.data.key}"') == 4  # a pair in ip, a pair in ip6
        assert not world.networks._fabric.mend_passage()  # nothing of it is a trouble that could be mended
        world.release(A)
        world.remove("dual")
        assert f"wharf:{world.data.key}" not in ruleset()
        assert made.ports
    finally:
        owner.close()
        _nft("flush ruleset")


def test_users_chain_has_its_say_first(world: World, wire: str) -> None:
    _nft(f"""table ip filter {{
    chain DOCKER-USER {{ ip saddr {WIRE_THERE} drop; }}
    chain FORWARD {{ {_CHAIN} jump DOCKER-USER; }}
    }}""")
    made = _attach(world)
    with tcp_server(made.sandbox, 80) as server:
        with pytest.raises(OSError, match="timed out"):
            talk(server, wire, (WIRE_HERE, 8080), timeout_s=0.3)
        _nft("flush chain ip filter DOCKER-USER")
        talk(server, wire, (WIRE_HERE, 8080))


@pytest.mark.skipif(not shutil.which("iptables-nft"), reason="there is no iptables-nft")
def test_iptables_reads_its_chain_as_before(world: World) -> None:
    subprocess.run(["iptables-nft", "-P", "FORWARD", "DROP"], check=True)
    world.attach(A)
    command = ["iptables-nft", "-S", "FORWARD"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert told[0] == "-P FORWARD DROP"
    assert [line.split(" -m ")[0].split(" -j ")[0] for line in told[1:]] == [
        "-A FORWARD -i docker0",
        "-A FORWARD -o docker0",
    ]
    subprocess.run(["iptables-nft", "-A", "FORWARD", "-s", "203.0.113.9", "-j", "DROP"], check=True)
    world.attach(B)
