from __future__ import annotations

import json
from pathlib import Path

import pytest

from wharf.errors import NotFound, NotImplementedHere
from wharf.network import cni
from wharf.network.cni import Call, CniNetworks, Places
from wharf.network.endpoint import Endpoint, PublishedPort
from wharf.network.records import Network

_LIST = {"cniVersion": "1.0.0", "name": "lab", "plugins": [{"type": "ptp", "mtu": 1400}, {"type": "tuning"}]}


def _endpoint(**known: object) -> Endpoint:
    fields = {
        "id": "e", "container_id": "c", "network_id": "n", "network_name": "lab", "sandbox": "/run/x", "ipv4": "",
        "prefix_length": 0, "gateway": "", "mac": "", "ports": (), "host_link": "", "driver": "ptp",
    }  # fmt: skip
    return Endpoint(**{**fields, **known})  # type: ignore[arg-type]


def _network(driver: str, **options: str) -> Network:
    return Network("n", "mine", driver, "2026-01-01T00:00:00Z", options=options)


def _places(tmp_path: Path, *plugins: str, **lists: object) -> Places:
    for name in plugins:
        (tmp_path / name).touch(mode=0o755)
    for name, document in lists.items():
        (tmp_path / f"{name}.conflist").write_text(json.dumps(document))
    return Places((tmp_path,), (tmp_path,))


def test_each_plugin_reads_its_own_configuration_with_what_all_share() -> None:
    first, second = cni.calls(_LIST)

    assert first == Call("ptp", {"type": "ptp", "mtu": 1400, "cniVersion": "1.0.0", "name": "lab"})
    assert second.configuration == {"type": "tuning", "cniVersion": "1.0.0", "name": "lab"}
    assert cni.calls(_LIST, {"ips": []})[0].configuration["prevResult"] == {"ips": []}


def test_result_tells_addresses_gateways_and_mac() -> None:
    result = {
        "interfaces": [
            {"name": "veth1", "mac": "x"},
            {"name": "eth0", "mac": "02:00:00:00:00:07", "sandbox": "/run/x"},
        ],
        "ips": [
            {"address": "10.9.0.2/24", "gateway": "10.9.0.1"},
            {"address": "10.8.0.2/16"},
            {"address": "fd00::2/64", "gateway": "fd00::1"},
        ],
    }

    assert cni.learnt(_endpoint(), result) == _endpoint(
        ipv4="10.9.0.2", prefix_length=24, gateway="10.9.0.1", ipv6="fd00::2", prefix_length6=64, gateway6="fd00::1",
        mac="02:00:00:00:00:07",
    )  # fmt: skip
    assert cni.learnt(_endpoint(mac="m"), {}) == _endpoint(mac="m")


def test_plugin_by_name_gets_the_engines_addresses_and_the_networks_options() -> None:
    endpoint = _endpoint(ipv4="10.9.0.2", prefix_length=24, gateway="10.9.0.1")
    (plugin,) = cni.by_plugin(_network("ptp", ipMasq="true", note="x y"), endpoint)["plugins"]

    assert plugin == {
        "type": "ptp",
        "ipMasq": True,
        "note": "x y",
        "ipam": {
            "type": "static",
            "addresses": [{"address": "10.9.0.2/24", "gateway": "10.9.0.1"}],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }


def test_list_of_the_host_comes_before_a_plugin_and_chooses_its_own_addresses(tmp_path: Path) -> None:
    places = _places(tmp_path, "lab", "ptp", lab=_LIST)
    networks = CniNetworks(tmp_path / "kept", lambda _: _network("lab"), places)

    assert [networks.require(_network(name)) for name in ("lab", "ptp")] == [False, True]
    with pytest.raises(NotImplementedHere, match="says itself"):
        networks.require(_network("lab", mtu="1"))


def test_single_plugins_file_is_a_list_of_one(tmp_path: Path) -> None:
    (tmp_path / "10.conf").write_text('{"cniVersion": "0.4.0", "name": "one", "type": "ptp"}')
    (tmp_path / "00.conf").write_text("{ not json")

    found = Places((tmp_path,), ()).configured("one")
    assert found
    assert [call.kind for call in cni.calls(found)] == ["ptp"]


@pytest.mark.parametrize("name", ["weave", "../bin/sh", "", "a/b"])
def test_what_is_neither_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound, match=r'plugin ".*" not found'):
        CniNetworks(tmp_path, lambda _: _network(name), _places(tmp_path, "ptp")).require(_network(name))


@pytest.mark.parametrize(
    "change", [{"cniVersion": "0.2.0"}, {"plugins": []}, {"plugins": [{"type": "../x"}]}, {"plugins": ["x"]}]
)
def test_list_that_cannot_be_run_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    networks = CniNetworks(tmp_path, lambda _: _network("lab"), _places(tmp_path, lab={**_LIST, **change}))

    with pytest.raises(NotImplementedHere, match="CNI network lab"):
        networks.require(_network("lab"))


def test_published_ports_are_for_plugins_that_say_that_they_publish() -> None:
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    document = {**_LIST, "plugins": [{"type": "ptp", "capabilities": {"bandwidth": True}}, portmap]}
    published = (PublishedPort(80, "tcp", "0.0.0.0", 8080), PublishedPort(53, "udp", "127.0.0.1", 5353))
    mappings = cni.port_mappings(published)
    first, second = (call.configuration for call in cni.calls(document, ports=mappings))

    assert mappings == [
        {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
        {"hostPort": 5353, "containerPort": 53, "protocol": "udp", "hostIP": "127.0.0.1"},
    ]
    assert "runtimeConfig" not in first
    assert second["runtimeConfig"] == {"portMappings": mappings}
    assert not {"capabilities"} & (first.keys() | second.keys())
    assert "runtimeConfig" not in cni.calls(document)[1].configuration


def test_list_or_options_say_whether_ports_are_published(tmp_path: Path) -> None:
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    places = _places(tmp_path, "ptp", open={**_LIST, "name": "open", "plugins": [portmap]}, lab=_LIST)
    networks = CniNetworks(tmp_path, lambda _: _network("ptp"), places)

    assert networks.publishes(_network("open"))
    assert networks.publishes(_network("ptp", capabilities='{"portMappings": true}'))
    assert not networks.publishes(_network("lab"))
    assert not networks.publishes(_network("ptp"))
