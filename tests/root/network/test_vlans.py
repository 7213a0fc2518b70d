"""macvlan and ipvlan: containers on a wire of the host's, beside a machine at its other end."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.network.machines import NOTHING, A, B, World, talk, tcp_server

from wharf.errors import InvalidArgument, NotImplementedHere, Unavailable
from wharf.kernel import netns, rtnetlink
from wharf.kernel.netlink import Rtnetlink
from wharf.network.rates import parse

pytestmark = pytest.mark.root

FAR, FAR6 = "192.0.2.254", "2001:db8:7::fe"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[str]:
    """A machine at the other end of the host's link ``trunk``."""
    path = str(tmp_path / "far")
    netns.make(path, lambda: None)
    namespace = netns.open_namespace(path)
    try:
        with Rtnetlink() as host:
            host.execute(
                rtnetlink.new_veth(
                    "trunk", peer="eth0", peer_namespace=namespace, peer_mac="02:00:00:00:00:0b", master=0, mtu=1500
                )
            )
        netns.within(path, _configure)
        yield path
    finally:
        os.close(namespace)
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link("trunk"))
        netns.remove(path)


def _configure() -> None:
    with Rtnetlink() as there:
        link = there.link("eth0")
        assert link
        there.execute(
            rtnetlink.link_up("lo"),
            rtnetlink.add_address(link.number, FAR, 24),
            rtnetlink.add_address(link.number, FAR6, 64),
            rtnetlink.link_up("eth0"),
        )


def _create(world: World, name: str = "lan", driver: str = "macvlan", **options: str) -> None:
    world.create(
        name,
        "192.0.2.0/24",
        "2001:db8:7::/64",
        EnableIPv6=True,
        Driver=driver,
        Options={"parent": "trunk", **options},
    )


def test_macvlan_container_is_a_neighbour_of_the_wire(world: World, far: str) -> None:
    _create(world)
    first = world.attach(A, "8080:80", network="lan", ipv4="192.0.2.7", mac="02:00:00:00:00:77")
    second = world.attach(B, network="lan")

    assert first.ports == ()
    with tcp_server(first.sandbox, 80, "::") as server:
        for here in (first.ipv4, first.ipv6):
            assert talk(server, far, (here, 80)) in (f"::ffff:{FAR}", FAR6)
            talk(server, second.sandbox, (here, 80))
    with tcp_server(far, 90) as server:
        assert talk(server, first.sandbox, (FAR, 90)) == "192.0.2.7"
    assert "02:00:00:00:00:77" in netns.within(far, lambda: Path("/proc/thread-self/net/arp").read_text())


def test_private_macvlan_containers_do_not_reach_each_other(world: World, far: str) -> None:
    _create(world, macvlan_mode="private")
    first, second = world.attach(A, network="lan"), world.attach(B, network="lan")

    with tcp_server(first.sandbox, 80) as server:
        talk(server, far, (first.ipv4, 80))
        with pytest.raises(OSError, match=r"timed out|No route"):
            talk(server, second.sandbox, (first.ipv4, 80), timeout_s=0.2)


def test_macvlan_joins_beside_a_bridge_and_leaves_nothing(world: World, far: str) -> None:
    _create(world)
    world.create("back", "10.2.0.0/24")
    world.attach(A, network="back")
    joined = world.connect(A, "lan")[-1]
    with tcp_server(joined.sandbox, 80) as server:
        talk(server, far, (joined.ipv4, 80))
    world.disconnect(A, "lan")
    world.release(A)
    world.remove("lan")

    assert {**world.leftovers(), "veths": []} == NOTHING


def test_macvlan_has_limits_of_its_own_in_its_sandbox(world: World, far: str) -> None:
    _create(world)
    endpoint = world.attach(A, network="lan", rate=parse("8mbit/16mbit"))
    assert _tbf(endpoint.sandbox) == {"eth0": 16_000_000, "i": 8_000_000}
    with tcp_server(endpoint.sandbox, 80) as server:
        talk(server, far, (endpoint.ipv4, 80))
    (endpoint,) = asyncio.run(world.networks.throttle(A, {endpoint.network_id: parse("24mbit/0")}))
    assert _tbf(endpoint.sandbox) == {"i": 24_000_000}
    with tcp_server(endpoint.sandbox, 81) as server:
        talk(server, far, (endpoint.ipv4, 81))
    world.disconnect(A, "lan")

    assert netns.within(endpoint.sandbox, _links) == ["lo"]


def _tbf(place: str) -> dict[str, int]:
    """What interfaces in a sandbox send at most, in bits a second; an ifb's as ``i``."""

    def shown() -> str:
        return subprocess.run(["tc", "-j", "qdisc"], capture_output=True, text=True, check=True).stdout

    queues = [queue for queue in json.loads(netns.within(place, shown)) if queue["kind"] == "tbf"]
    return {"i" if q["dev"].startswith("ifb") else q["dev"]: q["options"]["rate"] * 8 for q in queues}


def _links() -> list[str]:
    with Rtnetlink() as there:
        return [link.name for link in there.links()]


def test_engine_that_comes_back_goes_on_with_its_macvlans(world: World, far: str) -> None:
    _create(world)
    first = world.attach(A, network="lan")
    world.reborn()
    assert world.start(A) == {A: [first]}
    second = world.attach(B, network="lan")

    with tcp_server(first.sandbox, 80) as server:
        talk(server, second.sandbox, (first.ipv4, 80))


def test_parent_that_is_not_there_is_told(world: World) -> None:
    for parent, message in (
        ("nosuch0.5", "parent interface nosuch0 was not found"),
        ("nosuch0", "example formatting"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            _create(world, parent=parent)
    assert [network.name for network in world.networks._records.networks()] == ["bridge", "host", "none"]


def test_parent_that_went_is_told_to_the_next_container(world: World, far: str) -> None:
    _create(world)
    with Rtnetlink() as host:
        host.execute(rtnetlink.rename_index(_index(host, "trunk"), "other"))
    try:
        with pytest.raises((Unavailable, InvalidArgument), match="trunk"):
            world.attach(A, network="lan")
    finally:
        with Rtnetlink() as host:
            host.execute(rtnetlink.rename_index(_index(host, "other"), "trunk"))


def _index(host: Rtnetlink, name: str) -> int:
    link = host.link(name)
    assert link
    return link.number


@pytest.mark.parametrize(("driver", "kind"), [("ipvlan", "ipvlan"), ("macvlan", "vlan"), ("macvlan", "dummy")])
def test_kernel_without_such_links_is_told_when_the_network_is_made(
    world: World, far: str, driver: str, kind: str
) -> None:
    parent = {"ipvlan": "trunk", "vlan": "trunk.5", "dummy": ""}[kind]
    try:
        _create(world, driver=driver, parent=parent)
    except NotImplementedHere as error:
        assert "this machine's kernel has no" in str(error)  # noqa: PT017  # a kernel that has them is no failure
    else:
        endpoint = world.attach(A, network="lan")
        assert endpoint.ipv4 == "192.0.2.2"
        world.release(A)
        world.remove("lan")
    with Rtnetlink() as host:
        assert not [link for link in host.links() if link.alias == f"wharf:{world.data.key}"]


def _needs(kind: str) -> None:
    """Skip where this kernel has no such links; `make vm`'s has."""
    with Rtnetlink() as host:
        trunk, here = _index(host, "trunk"), netns.open_namespace("/proc/thread-self/ns/net")
        made = {
            "ipvlan": rtnetlink.new_ipvlan("probe", parent=trunk, mode="l2", flag="bridge", namespace=here),
            "vlan": rtnetlink.new_vlan("probe", parent=trunk, number=7),
            "dummy": rtnetlink.new_dummy("probe"),
        }
        try:
            host.execute(made[kind], rtnetlink.delete_link("probe"))
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            pytest.skip(f"this kernel has no {kind} links")
        finally:
            os.close(here)


def _tagged(number: int) -> None:
    """Let the far machine have its address in a VLAN."""
    with Rtnetlink() as there:
        wire = _index(there, "eth0")
        there.execute(
            rtnetlink.remove_address(wire, FAR, 24),
            rtnetlink.new_vlan("tagged", parent=wire, number=number),
        )
        there.execute(rtnetlink.add_address(_index(there, "tagged"), FAR, 24))


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_vlan_of_a_link_is_made_for_its_network_and_goes_with_it(world: World, far: str, driver: str) -> None:
    for kind in ("vlan", *(("ipvlan",) if driver == "ipvlan" else ())):
        _needs(kind)
    netns.within(far, lambda: _tagged(50))
    with Rtnetlink() as host:
        host.execute(rtnetlink.link_up("trunk"))
    _create(world, driver=driver, parent="trunk.50")
    endpoint = world.attach(A, network="lan", rate=parse("80mbit"))
    with tcp_server(endpoint.sandbox, 80) as server:
        assert talk(server, far, (endpoint.ipv4, 80)) == FAR
    world.reborn()
    assert world.start(A) == {A: [endpoint]}
    with tcp_server(far, 90) as server:
        assert talk(server, world.attach(B, network="lan").sandbox, (FAR, 90))
    world.release(A, B)
    world.remove("lan")

    with Rtnetlink() as host:
        assert host.link("trunk.50") is None


def test_vlan_that_was_there_already_stays(world: World, far: str) -> None:
    _needs("vlan")
    with Rtnetlink() as host:
        host.execute(rtnetlink.new_vlan("trunk.50", parent=_index(host, "trunk"), number=50))
    _create(world, parent="trunk.50")
    world.attach(A, network="lan")
    world.release(A)
    world.remove("lan")

    with Rtnetlink() as host:
        assert host.link("trunk.50")


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_network_without_a_parent_leads_to_its_containers_alone(world: World, far: str, driver: str) -> None:
    for kind in ("dummy", *(("ipvlan",) if driver == "ipvlan" else ())):
        _needs(kind)
    _create(world, driver=driver, parent="")
    first, second = world.attach(A, network="lan"), world.attach(B, network="lan")

    assert first.gateway == second.gateway == ""
    with tcp_server(first.sandbox, 80) as server:
        talk(server, second.sandbox, (first.ipv4, 80))
        with pytest.raises(OSError, match=r"timed out|unreachable|No route"):
            talk(server, far, (first.ipv4, 80), timeout_s=0.2)
    world.reborn()
    world.start()  # both died with the machine, so to speak

    with Rtnetlink() as host:
        assert len([link for link in host.links() if link.kind == "dummy" and link.alias]) == 1
    world.remove("lan")
    with Rtnetlink() as host:
        assert [link for link in host.links() if link.kind == "dummy" and link.alias] == []


@pytest.mark.parametrize("mode", ["l2", "l3", "l3s"])
def test_ipvlan_containers_share_the_macs_of_their_parent(world: World, far: str, mode: str) -> None:
    _needs("ipvlan")
    _create(world, driver="ipvlan", ipvlan_mode=mode)
    first, second = world.attach(A, network="lan"), world.attach(B, network="lan")
    with Rtnetlink() as host:
        parent = host.link("trunk")
    assert parent
    assert first.mac == ""
    if mode != "l2":  # its containers neither ask nor answer who has an address
        netns.within(far, lambda: _know(first.ipv4, parent.mac))

    with tcp_server(first.sandbox, 80) as server:
        assert talk(server, second.sandbox, (first.ipv4, 80)) == second.ipv4
        assert talk(server, far, (first.ipv4, 80)) == FAR
    with pytest.raises(InvalidArgument, match="do not support custom mac address"):
        world.connect(A, "lan", mac="02:00:00:00:00:07")


def _know(address: str, mac: str) -> None:
    with Rtnetlink() as there:
        there.execute(rtnetlink.set_neighbour(_index(there, "eth0"), address, mac, permanent=True))
