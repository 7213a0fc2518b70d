"""CNI plugins: the reference ones, where the host has them, and one that says what it was told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.root.network.dns import ask, ips
from tests.root.network.machines import NOTHING, WIRE_HERE, A, B, World, ruleset, talk, tcp_server

from wharf.errors import Conflict, NotFound, Unavailable
from wharf.kernel import rtnetlink
from wharf.kernel.netlink import Rtnetlink
from wharf.network.cni import Places

pytestmark = pytest.mark.root

_REFERENCE = Path("/usr/lib/cni")  # Debian: containernetworking-plugins
_NEEDS_REFERENCE = pytest.mark.skipif(not _REFERENCE.is_dir(), reason="no reference plugins here")
_TELLTALE = """#!/bin/sh
set -e
folder=$(dirname "$0")
cat > "$folder/stdin.$CNI_COMMAND"
echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME" >> "$folder/told"
[ "$CNI_COMMAND" = ADD ] || exit 0
if [ -e "$folder/fail" ]; then
    echo '{"cniVersion": "1.0.0", "code": 7, "msg": "no luck", "details": "today"}'
    exit 1
fi
echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.77.0.5/24", "gateway": "10.77.0.1"}]}'
"""


@pytest.fixture
def places(world: World, tmp_path: Path) -> Path:
    """A folder for configuration lists and plugins, beside the reference plugins."""
    folder = tmp_path / "cni"
    folder.mkdir()
    (folder / "telltale").write_text(_TELLTALE)
    (folder / "telltale").chmod(0o755)
    world.networks._fabric._cni._places = Places((folder,), (folder, _REFERENCE))
    return folder


def _told(places: Path) -> list[str]:
    return (places / "told").read_text().splitlines()


def test_plugin_is_told_what_it_has_to_make_and_to_undo(world: World, places: Path) -> None:
    world.create("mine", "10.77.0.0/24", Driver="telltale", Options={"depth": "3"})
    endpoint = world.attach(A, network="mine")
    told = json.loads((places / "stdin.ADD").read_text())
    world.release(A)
    undone = json.loads((places / "stdin.DEL").read_text())

    assert (told["name"], told["depth"], told["ipam"]["type"]) == ("mine", 3, "static")
    assert _told(places) == [f"{command} {A} {endpoint.sandbox} eth0" for command in ("ADD", "DEL")]
    assert undone["prevResult"]["ips"][0]["address"] == "10.77.0.5/24"
    assert world.leftovers() == NOTHING


def test_what_a_plugin_chose_is_recorded(world: World, places: Path) -> None:
    document = {"cniVersion": "1.0.0", "name": "lab", "plugins": [{"type": "telltale"}]}
    (places / "lab.conflist").write_text(json.dumps(document))
    world.create("mine", Driver="lab")
    endpoint = world.attach(A, network="mine")

    assert (endpoint.ipv4, endpoint.prefix_length, endpoint.gateway) == ("10.77.0.5", 24, "10.77.0.1")
    assert world.networks._records.endpoints_of(A) == [endpoint]


def test_published_ports_are_handed_to_plugins_and_held(world: World, places: Path) -> None:
    plugin = {"type": "telltale", "capabilities": {"portMappings": True}}
    (places / "lab.conflist").write_text(json.dumps({"cniVersion": "1.0.0", "name": "lab", "plugins": [plugin]}))
    world.create("mine", Driver="lab")
    endpoint = world.attach(A, "8080:80", "127.0.0.1:5353:53/udp", network="mine")
    mappings = [
        {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
        {"hostPort": 5353, "containerPort": 53, "protocol": "udp", "hostIP": "127.0.0.1"},
    ]

    assert json.loads((places / "stdin.ADD").read_text())["runtimeConfig"] == {"portMappings": mappings}
    assert [port.host_port for port in endpoint.ports] == [8080, 5353]
    with pytest.raises(Conflict, match="port is already allocated"):
        world.attach(B, "8080:80")
    assert [e.ports for e in world.connect(A, "bridge")] == [endpoint.ports, ()]
    world.release(A)
    assert json.loads((places / "stdin.DEL").read_text())["runtimeConfig"] == {"portMappings": mappings}
    assert {**world.leftovers(), "veths": []} == NOTHING


@_NEEDS_REFERENCE
def test_reference_plugin_publishes_a_port(world: World, places: Path, wire: str) -> None:
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    local = {
        "type": "host-local",
        "ranges": [[{"subnet": "10.79.0.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(places / "leases"),
    }
    ptp = {"type": "ptp", "ipMasq": True, "ipam": local}
    (places / "lab.conflist").write_text(
        json.dumps({"cniVersion": "0.4.0", "name": "lab", "plugins": [ptp, portmap]})
    )
    world.create("mine", Driver="lab")
    made = world.attach(A, "8080:80", network="mine")

    with tcp_server(made.sandbox, 80) as server:
        talk(server, wire, (WIRE_HERE, 8080))
    world.release(A)
    assert "8080" not in ruleset()


def test_plugin_that_fails_is_undone_and_its_words_are_told(world: World, places: Path) -> None:
    world.create("mine", "10.77.0.0/24", Driver="telltale")
    (places / "fail").touch()
    with pytest.raises(Unavailable, match=r"CNI plugin telltale failed \(ADD\): no luck: today"):
        world.attach(A, network="mine")

    assert [line.split()[0] for line in _told(places)] == ["ADD", "DEL"]
    assert {**world.leftovers(), "veths": []} == NOTHING
    assert list(world.run_root.cni.iterdir()) == []


def test_engine_killed_beside_a_plugins_container_undoes_it_at_the_next_start(world: World, places: Path) -> None:
    world.create("mine", "10.77.0.0/24", Driver="telltale")
    world.attach(A, network="mine")
    world.reborn()
    world.networks._fabric._cni._places = Places((places,), (places,))
    world.start()

    assert [line.split()[0] for line in _told(places)] == ["ADD", "DEL"]
    assert {**world.leftovers(), "veths": []} == NOTHING
    assert list(world.run_root.cni.iterdir()) == []


def test_driver_that_nobody_has_is_not_found(world: World, places: Path) -> None:
    with pytest.raises(NotFound, match='plugin "weave" not found'):
        world.create("mine", Driver="weave")
    assert [network.name for network in world.networks._records.networks()] == ["bridge", "host", "none"]


@_NEEDS_REFERENCE
def test_reference_plugin_by_name(world: World, places: Path) -> None:
    world.create("mine", "10.78.0.0/24", Driver="ptp")
    first, second = (world.attach(each, network="mine", names=(each[:1],)) for each in (A, B))

    with tcp_server(first.sandbox, 80) as server:
        assert talk(server, "", (first.ipv4, 80)) == "10.78.0.1"
        assert talk(server, second.sandbox, (first.ipv4, 80)) == second.ipv4
    assert ips(ask(second, "a")) == {first.ipv4}
    world.release(A, B)
    with Rtnetlink() as host:
        assert [link for link in host.links() if link.kind == "veth"] == []


@_NEEDS_REFERENCE
def test_list_of_reference_plugins_joins_a_running_container(world: World, places: Path, tmp_path: Path) -> None:
    local = {"type": "host-local", "ranges": [[{"subnet": "10.79.0.0/24"}]], "dataDir": str(tmp_path / "leases")}
    bridge = {"type": "bridge", "bridge": "cni-test0", "isGateway": True, "ipam": local}
    document = {"cniVersion": "0.4.0", "name": "lab", "plugins": [bridge, {"type": "tuning", "mtu": 1300}]}
    (places / "lab.conflist").write_text(json.dumps(document))
    world.create("mine", Driver="lab")
    world.attach(A)
    joined = world.connect(A, "mine")[-1]

    try:
        assert (joined.ipv4, joined.interface) == ("10.79.0.2", "eth1")
        with tcp_server(joined.sandbox, 80) as server:
            talk(server, "", (joined.ipv4, 80))
        world.disconnect(A, "mine")
        leases = [path.name for path in (tmp_path / "leases" / "lab").iterdir() if path.name.startswith("10.")]
        assert leases == []
    finally:
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link("cni-test0"))
