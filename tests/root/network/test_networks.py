from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
from pathlib import Path

import pytest
from tests.root.network.machines import (
    NOTHING,
    WIRE_HERE,
    WIRE_THERE,
    A,
    B,
    World,
    exchange,
    open_in,
    reach_at_once,
    ruleset,
    talk,
    tcp_server,
)
from tests.root.wharfd import until

from wharf.errors import Conflict, InvalidArgument, NotImplementedHere
from wharf.kernel import netns, rtnetlink
from wharf.kernel.netlink import Rtnetlink
from wharf.lib.ports import parse_publish
from wharf.network import sandbox
from wharf.network.endpoint import Endpoint, Wish
from wharf.network.networks import Networks
from wharf.network.sandbox import unobserved
from wharf.storage.metadata import Database

pytestmark = pytest.mark.root


def test_containers_have_addresses_of_the_default_subnet(world: World) -> None:
    first, second = world.attach(A), world.attach(B)

    assert [(e.ipv4, e.prefix_length, e.gateway, e.mac) for e in (first, second)] == [
        ("172.17.0.2", 16, "172.17.0.1", "02:42:ac:11:00:02"),
        ("172.17.0.3", 16, "172.17.0.1", "02:42:ac:11:00:03"),
    ]


def test_containers_reach_each_other(world: World, bridge_nf: None) -> None:
    first, second = world.attach(A), world.attach(B)

    with tcp_server(first.sandbox, 80) as server:
        assert talk(server, second.sandbox, (first.ipv4, 80)) == second.ipv4


def test_published_port_is_reached_from_everywhere(world: World, wire: str, bridge_nf: None) -> None:
    first, second = world.attach(A, "8080:80"), world.attach(B)
    gateway = ("172.17.0.1", 8080)

    with tcp_server(first.sandbox, 80) as server:
        seen = {
            "loopback": talk(server, "", ("127.0.0.1", 8080)),
            "gateway from the host": talk(server, "", gateway),
            "gateway from a container": talk(server, second.sandbox, gateway),
            "gateway from itself": talk(server, first.sandbox, gateway),
            "own address of the host": talk(server, "", (WIRE_HERE, 8080)),
            "wire": talk(server, wire, (WIRE_HERE, 8080)),
        }

    assert seen["wire"] == WIRE_THERE


def test_published_udp_port_is_reached_from_everywhere(world: World, wire: str, bridge_nf: None) -> None:
    first, second = world.attach(A, "5353:53/udp"), world.attach(B)
    gateway = ("172.17.0.1", 5353)

    with open_in(first.sandbox, socket.SOCK_DGRAM) as server:
        server.bind(("0.0.0.0", 53))
        for place, to in [
            ("", ("127.0.0.1", 5353)),
            ("", gateway),
            (second.sandbox, gateway),
            (first.sandbox, gateway),
            (wire, (WIRE_HERE, 5353)),
        ]:
            exchange(server, place, to)


def test_datagrams_that_keep_coming_reach_the_next_container(world: World, wire: str) -> None:
    to = (WIRE_HERE, 5353)
    with open_in(wire, socket.SOCK_STREAM) as first, pytest.raises(ConnectionRefusedError):
        first.connect(to)  # the host's MAC is known then, and no datagram waits for it
    with open_in(wire, socket.SOCK_DGRAM) as client:
        client.sendto(b"before", to)
        heard = []
        for container_id in (A, B):
            endpoint = world.attach(container_id, "5353:53/udp")
            with open_in(endpoint.sandbox, socket.SOCK_DGRAM) as server:
                server.bind(("0.0.0.0", 53))
                client.sendto(container_id[:1].encode(), to)
                heard.append(server.recvfrom(16)[0])
            world.release(container_id)

    assert heard == [b"a", b"b"]


def test_port_published_on_loopback_is_not_reached_from_the_wire(world: World, wire: str) -> None:
    endpoint = world.attach(A, "127.0.0.1:8080:80")

    with tcp_server(endpoint.sandbox, 80) as server:
        talk(server, "", ("127.0.0.1", 8080))
        with pytest.raises(ConnectionRefusedError):
            talk(server, wire, (WIRE_HERE, 8080))
        with pytest.raises(TimeoutError):
            talk(server, wire, (endpoint.ipv4, 80), timeout_s=0.2)


def test_loopback_servers_of_the_host_are_not_reached_from_a_container(world: World) -> None:
    endpoint = world.attach(A)
    netns.within(endpoint.sandbox, _route_loopback_out)

    with tcp_server("", 7777) as server, pytest.raises(TimeoutError):
        talk(server, endpoint.sandbox, ("127.0.0.1", 7777), timeout_s=0.2)


def _route_loopback_out() -> None:
    Path("/proc/sys/net/ipv4/conf/eth0/route_localnet").write_text("1")
    for command in (
        ["ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local"],
        ["ip", "route", "del", "local", "127.0.0.1", "dev", "lo", "table", "local"],
        ["ip", "route", "add", "127.0.0.0/8", "via", "172.17.0.1", "src", "172.17.0.2"],
    ):
        subprocess.run(command, check=True)


def test_outgoing_connections_bear_the_hosts_address(world: World, wire: str) -> None:
    endpoint = world.attach(A)

    with tcp_server(wire, 80) as server:
        assert talk(server, endpoint.sandbox, (WIRE_THERE, 80)) == WIRE_HERE


def test_port_that_another_program_listens_on_is_a_conflict_in_dockers_words(world: World) -> None:
    with tcp_server("", 8080), pytest.raises(Conflict) as caught:
        world.attach(A, "8080:80", name="web")

    said = "failed to set up container networking: driver failed programming external connectivity on endpoint web ("
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("failed to bind host port 0.0.0.0:8080/tcp: address already in use")
    assert world.leftovers() == NOTHING


def test_port_of_another_container_is_a_conflict_in_dockers_words(world: World) -> None:
    world.attach(A, "8080:80")

    with pytest.raises(Conflict, match=r"Bind for 127\.0\.0\.1:8080 failed: port is already allocated"):
        world.attach(B, "127.0.0.1:8080:80")


def test_published_port_is_taken_for_other_programs(world: World) -> None:
    world.attach(A, "8080:80")

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="Address already in use"):
            other.bind(("0.0.0.0", 8080))


def test_failed_publication_holds_none_of_the_ports(world: World) -> None:
    world.attach(A, "8081:80")

    with pytest.raises(Conflict):
        world.attach(B, "8080:80", "8081:80")
    world.attach(B, "8080:80")


def test_release_leaves_nothing_and_may_be_repeated(world: World) -> None:
    world.attach(A, "8080:80", "5353:53/udp", "127.0.0.1:9090:90")
    world.release(A, A)

    assert {**world.leftovers(), "veths": []} == NOTHING


def test_address_is_not_given_again_at_once(world: World) -> None:
    first = world.attach(A).ipv4
    world.release(A)

    assert (first, world.attach(B).ipv4) == ("172.17.0.2", "172.17.0.3")


def test_cancelled_attach_leaves_nothing(world: World) -> None:
    async def cancelled() -> None:
        task = asyncio.ensure_future(world.networks.attach(A, [Wish("bridge")], ports=parse_publish("8080:80")))
        while not world.database.query("SELECT 1 FROM endpoints"):  # noqa: ASYNC110 - the row is the event
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())

    assert {**world.leftovers(), "veths": []} == NOTHING


@pytest.mark.parametrize("step", ["record", "namespace", "veth", "address", "announce", "ports"])
def test_engine_killed_in_an_attach_leaves_nothing_after_the_next_start(world: World, step: str) -> None:
    pid = os.fork()
    if pid == 0:
        _die_at(world, step)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    world.reborn()
    world.start()

    assert {**world.leftovers(), "veths": []} == NOTHING
    assert world.attach(A, "8080:80").ports[0].host_port == 8080


def _die_at(world: World, step: str) -> None:
    try:

        def observe(done: str, seconds: float) -> None:
            if done == step:
                os._exit(9)

        database = Database(world.data.database)
        networks = Networks(world.data, world.run_root, database, observe=observe)
        if step == "record":
            networks._fabric.build = lambda *_: os._exit(9)  # type: ignore[method-assign,assignment]
        asyncio.run(networks.attach(A, [Wish("bridge")], ports=parse_publish("8080:80")))
    finally:
        os._exit(1)


def test_engine_killed_beside_running_containers_finds_them_again(world: World) -> None:
    before = world.attach(A, "8080:80")
    world.attach(B, "8081:80")
    world.reborn()
    found = world.start(A)

    assert found == {A: [before]}
    with tcp_server(before.sandbox, 80) as server:
        talk(server, "", ("127.0.0.1", 8080))
    with pytest.raises(ConnectionRefusedError), open_in("", socket.SOCK_STREAM) as client:
        client.connect(("127.0.0.1", 8081))
    with pytest.raises(Conflict, match="already allocated"):
        world.attach(B, "8080:80")


def test_port_taken_while_no_engine_ran_stays_published(world: World, caplog: pytest.LogCaptureFixture) -> None:
    endpoint = world.attach(A, "8080:80")
    world.reborn()
    with tcp_server("", 8080), caplog.at_level(logging.WARNING), tcp_server(endpoint.sandbox, 80) as server:
        world.start(A)
        talk(server, "", ("127.0.0.1", 8080))

    assert "keeps its published port" in caplog.text


def test_flushed_firewall_is_made_anew_with_the_next_port(world: World) -> None:
    first = world.attach(A, "8080:80")
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    world.attach(B, "8081:80")

    with tcp_server(first.sandbox, 80) as server:
        talk(server, "", ("127.0.0.1", 8080))
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    world.release(A, B)


def test_bridge_of_somebody_else_is_left_alone(world: World) -> None:
    with Rtnetlink() as host:
        host.execute(rtnetlink.new_bridge("docker0", mac="02:00:00:00:00:01"), rtnetlink.link_up("docker0"))
        theirs = host.link("docker0")
        assert theirs
        host.execute(rtnetlink.add_address(theirs.number, "172.17.0.1", 16))
        try:
            endpoint = world.attach(A)
            ours = [(link.name, link.alias) for link in host.links() if link.kind == "bridge"]
        finally:
            host.execute(rtnetlink.delete_link("docker0"))

    assert (endpoint.ipv4, endpoint.gateway) == ("172.18.0.2", "172.18.0.1")
    assert endpoint.notice == (
        "docker0 belongs to something else: using bridge wharf0; 172.17.0.0/16 is in use: using subnet 172.18.0.0/22"
    )
    assert ours == [("docker0", ""), ("wharf0", f"wharf:{world.data.key}")]


def test_bridge_removed_by_hand_is_made_again(world: World) -> None:
    world.attach(A)
    world.release(A)
    with Rtnetlink() as host:
        host.execute(rtnetlink.delete_link("docker0"))
    world.attach(A)


def test_last_one_out_removes_bridge_and_firewall(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start()
    world.attach(A, "8080:80")
    world.release(A)
    asyncio.run(world.networks.aclose())
    world.database.close()

    with Rtnetlink() as host:
        assert host.link("docker0") is None
    assert world.data.key not in ruleset()


def test_none_has_a_loopback_only_and_host_no_namespace(world: World) -> None:
    isolated, shared = world.attach(A, network="none"), world.attach(B, network="host")

    links = netns.within(isolated.sandbox, _link_names)
    assert (links, isolated.ipv4, shared.sandbox, shared.ipv4) == ([("lo", True)], "", "", "")


def test_half_made_sandbox_is_no_hindrance_to_a_container_that_made_its_own(world: World) -> None:
    path = world.run_root.sandbox(A)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    for _ in range(2):
        sandbox.adopt(str(path), os.getpid())
        assert path.stat().st_ino == Path("/proc/self/ns/net").stat().st_ino
    sandbox.remove(str(path))


def _link_names() -> list[tuple[str, bool]]:
    with Rtnetlink() as inside:
        return [(link.name, link.up) for link in inside.links()]


def test_moved_address_is_announced(world: World) -> None:
    first = world.attach(A)
    neighbour = world.attach(B)
    with tcp_server(neighbour.sandbox, 80) as server:
        talk(server, first.sandbox, (neighbour.ipv4, 80))
    world.release(B)
    world.networks._allocation.forget()
    world.attach(B, mac="02:00:00:00:00:77")

    found = netns.within(first.sandbox, lambda: Path("/proc/thread-self/net/arp").read_text())
    assert "02:00:00:00:00:77" in found


def test_address_that_is_given_again_leads_to_its_new_owner_at_once(world: World) -> None:
    """Nothing is announced: the MAC is the same. The earlier owner's link is still there."""
    first, neighbour = world.attach(A), world.attach(B)
    with tcp_server(neighbour.sandbox, 80) as server:
        talk(server, first.sandbox, (neighbour.ipv4, 80))
    lingering = netns.open_namespace(neighbour.sandbox)
    try:
        world.release(B)
        world.networks._allocation.forget()
        again = world.attach(B)

        assert (again.ipv4, again.announced) == (neighbour.ipv4, False)
        with tcp_server(again.sandbox, 80) as server:
            reach_at_once(server, first.sandbox, (again.ipv4, 80))
    finally:
        os.close(lingering)


def test_moved_address_of_version_6_is_announced(world: World) -> None:
    world.create("dual", "10.5.0.0/24", "fd00:5::/64", EnableIPv6=True)
    first = world.attach(A, network="dual")
    neighbour = world.attach(B, network="dual", ipv6="fd00:5::77")
    with tcp_server(neighbour.sandbox, 80, "::") as server:
        talk(server, first.sandbox, (neighbour.ipv6, 80))
    world.release(B)
    neighbour = world.attach(B, network="dual", ipv6="fd00:5::77", mac="02:00:00:00:00:77")

    until(lambda: "lladdr 02:00:00:00:00:77" in _neighbours(first))  # though it has not asked
    with tcp_server(neighbour.sandbox, 80, "::") as server:
        reach_at_once(server, first.sandbox, (neighbour.ipv6, 80))


def _neighbours(endpoint: Endpoint) -> str:
    command = ["nsenter", f"--net={endpoint.sandbox}", "ip", "-6", "neighbour", "show", "fd00:5::77"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_cannot_be_honoured_is_refused_by_name(world: World) -> None:
    with pytest.raises(NotImplementedHere, match="publishing on ::1: the container has no IPv6 address"):
        world.attach(A, "[::1]:80:80")
    with pytest.raises(InvalidArgument, match="user specified IP address"):
        world.attach(A, ipv4="172.17.0.9")
    with pytest.raises(InvalidArgument, match="invalid MAC address"):
        world.attach(A, mac="01:00:5e:00:00:01")

    assert world.leftovers() == NOTHING


def test_inspect_shows_the_containers(world: World) -> None:
    endpoint = world.attach(A)
    shown = asyncio.run(world.networks.inspect("bridge"))

    assert (shown.get("Containers") or {})[A].get("IPv4Address") == f"{endpoint.ipv4}/16"
    assert unobserved("x", 0.0) is None


def test_a_network_is_found_by_its_id_before_one_that_has_it_for_a_name(world: World) -> None:
    network_id = world.create("front", "10.1.0.0/24").id
    other = world.create(network_id, "10.2.0.0/24")

    assert world.networks.resolve(network_id).name == "front"
    assert world.networks.resolve(other.id).name == network_id
