"""Networks that plugins make, with a plugin that makes real links: told what Docker tells, and nothing is left."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.network_plugin import FakeNetworkPlugin, fake_network_plugin
from tests.root.network.machines import NOTHING, A, B, World, talk, tcp_server

from wharf.errors import NotFound, Unavailable, WharfError
from wharf.kernel import netns
from wharf.kernel.netlink import Rtnetlink
from wharf.network.driver import Others
from wharf.network.endpoint import Wish
from wharf.plugins.calls import Address

pytestmark = pytest.mark.root


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[FakeNetworkPlugin]:
    with fake_network_plugin(tmp_path / "p.sock") as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, plugin: FakeNetworkPlugin) -> Iterator[World]:
    def find(name: str, kind: str) -> Address:
        if name != "fake":
            raise NotFound(f'plugin "{name}" not found')
        return Address(f"unix://{tmp_path}/p.sock", timeout_s=2)

    made = World(tmp_path, Others(plugins=find))
    made.start()
    yield made
    for (container_id,) in made.database.query("SELECT container_id FROM endpoints"):
        made.release(str(container_id))
    made.close()


def _links() -> list[str]:
    with Rtnetlink() as host:
        return sorted(link.name for link in host.links() if link.name.startswith("f"))


def _routes(place: str) -> str:
    def look() -> str:
        return subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout

    return netns.within(place, look)


def test_a_plugin_makes_networks_and_endpoints_and_undoes_them_in_order(
    world: World, plugin: FakeNetworkPlugin
) -> None:
    network = world.create("n", "10.77.0.0/24", Driver="fake", Options={"x": "y"})
    one = world.attach(A, "8080:80", network="n")
    two = world.attach(B, network="n", mac="02:00:00:00:00:77")

    assert plugin.told("CreateNetwork") == {
        "NetworkID": network.id,
        "Options": {
            "com.docker.network.enable_ipv4": True,
            "com.docker.network.enable_ipv6": False,
            "com.docker.network.generic": {"x": "y"},
        },
        "IPv4Data": [{"AddressSpace": "LocalDefault", "Pool": "10.77.0.0/24", "Gateway": "10.77.0.1/24"}],
        "IPv6Data": [],
    }
    joined = next(body for path, body in plugin.plugin.asked if path == "/NetworkDriver.Join")
    assert joined["SandboxKey"] == one.sandbox
    bound = {"Proto": 6, "IP": "", "Port": 80, "HostIP": "", "HostPort": 8080, "HostPortEnd": 8080}
    assert joined["Options"]["com.docker.network.portmap"] == [bound]
    assert (one.interface, one.mac, one.gateway) == ("net0", "02:aa:00:00:00:01", "10.77.0.1")
    assert two.mac == "02:00:00:00:00:77"
    assert "10.99.0.0/16 dev net0 scope link" in _routes(one.sandbox)
    assert "default via 10.77.0.1 dev net0" in _routes(one.sandbox)
    with tcp_server(one.sandbox, 80) as server:
        assert talk(server, two.sandbox, (one.ipv4, 80)) == two.ipv4

    made = len(plugin.asked("NetworkDriver"))
    world.release(A, B)
    world.remove("n")
    undone = plugin.asked("NetworkDriver")[made:]
    assert undone == [*["RevokeExternalConnectivity", "Leave", "DeleteEndpoint"] * 2, "DeleteNetwork"]
    assert plugin.kept == set()
    assert _links() == []
    assert world.leftovers() == NOTHING


def test_a_running_container_joins_and_leaves_a_plugins_network(world: World, plugin: FakeNetworkPlugin) -> None:
    world.create("n", "10.77.0.0/24", Driver="fake")
    world.create("own", "10.8.0.0/24")
    first = world.attach(A, network="own")
    joined = world.connect(A, "n")
    assert [endpoint.interface for endpoint in joined] == ["eth0", "net0"]
    assert world.disconnect(A, "n") == [first]
    assert plugin.asked()[-2:] == ["Leave", "DeleteEndpoint"]
    world.release(A)
    world.remove("n")
    assert plugin.kept == set()
    assert _links() == []


@pytest.mark.parametrize(
    ("method", "answer", "said", "undone"),
    [
        ("CreateEndpoint", {"Err": "no"}, "remote: no", []),
        ("CreateEndpoint", {"Interface": {"MacAddress": "x"}}, "nonsense: 'x' is no MAC", ["DeleteEndpoint"]),
        ("CreateEndpoint", {"Interface": {"Address": "10.77.0.9/24"}}, "changes Address", ["DeleteEndpoint"]),
        ("Join", {"Err": "no"}, "remote: no", ["DeleteEndpoint"]),
        ("Join", {"InterfaceName": {"SrcName": "../x"}}, "no name of a link", ["Leave", "DeleteEndpoint"]),
        ("Join", {"InterfaceName": {"SrcName": "none"}}, "link that is not there: none", ["Leave", "DeleteEndpoint"]),
        ("Join", {"InterfaceName": [1]}, "answers Join with nonsense", ["Leave", "DeleteEndpoint"]),
        ("Join", {"Gateway": "fe80::1"}, "no IPv4 address", ["Leave", "DeleteEndpoint"]),
        ("ProgramExternalConnectivity", {"Err": "taken"}, "remote: taken", ["Leave", "DeleteEndpoint"]),
    ],
)
def test_what_a_plugin_refuses_or_garbles_is_one_error_and_is_undone(
    world: World, plugin: FakeNetworkPlugin, method: str, answer: object, said: str, undone: list[str]
) -> None:
    world.create("n", "10.77.0.0/24", Driver="fake")
    plugin.plugin.answers[f"/NetworkDriver.{method}"] = answer
    plugin.plugin.answers["/NetworkDriver.DeleteEndpoint"] = {}
    with pytest.raises(WharfError, match=said):
        world.attach(A, network="n")
    asked = plugin.asked("NetworkDriver")
    assert asked[asked.index(method) + 1 :] == undone
    assert world.leftovers() == NOTHING


def test_a_plugin_that_has_gone_holds_no_container_up(world: World, plugin: FakeNetworkPlugin) -> None:
    world.create("n", "10.77.0.0/24", Driver="fake")
    world.attach(A, network="n")
    plugin.plugin.shutdown()
    plugin.plugin.server_close()
    world.release(A)
    assert world.leftovers() == NOTHING
    with pytest.raises(Unavailable, match="network plugin fake does not answer"):
        world.attach(A, network="n")
    assert world.leftovers() == NOTHING
    world.remove("n")  # with a warning: the plugin keeps what it made


def test_what_a_killed_engine_left_is_undone_by_the_next(world: World, plugin: FakeNetworkPlugin) -> None:
    world.create("n", "10.77.0.0/24", Driver="fake")
    world.attach(A, network="n")
    kept = world.attach(B, network="n")
    world.reborn()
    assert world.start(B) == {B: [kept]}
    assert [name for name in plugin.kept if name.startswith("endpoint")] == [f"endpoint {kept.id[:7]}"]
    world.release(B)
    world.remove("n")
    assert plugin.kept == set()


def test_a_plugin_chooses_addresses_where_the_engine_has_none(world: World, plugin: FakeNetworkPlugin) -> None:
    own = {"Address": "10.77.0.50/24", "MacAddress": "02:aa:00:00:00:05"}
    plugin.plugin.answers["/NetworkDriver.CreateEndpoint"] = lambda _: {"Interface": own}
    plugin.plugin.answers["/NetworkDriver.DeleteEndpoint"] = {}
    world.create("n", Driver="fake", IPAM={"Driver": "null"})
    assert plugin.told("CreateNetwork")["IPv4Data"] == [{"AddressSpace": "null", "Pool": "0.0.0.0/0"}]
    endpoint = world.attach(A, network="n")
    assert (endpoint.ipv4, endpoint.prefix_length) == ("10.77.0.50", 24)
    assert world.networks._records.endpoints_of(A) == [endpoint]
    world.release(A)
    world.remove("n")


def test_a_driver_that_is_nowhere_is_told(world: World) -> None:
    with pytest.raises(NotFound, match="none"):
        world.create("n", Driver="none")
    assert [network.name for network in world.networks._records.networks()] == ["bridge", "host", "none"]


def test_wishes_of_a_network_without_rates_are_refused(world: World) -> None:
    world.create("n", "10.77.0.0/24", Driver="fake")
    with pytest.raises(WharfError, match="invalid IPv4 address"):
        world.attach_all(A, wishes=[Wish("n", ipv4="x")])
    world.remove("n")
