from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.create.networking import (
    endpoints,
    exposed_ports,
    links_of,
    network_document,
    network_mode,
    port_bindings,
    volume_document,
)

APP = project(
    """
services:
  a:
    image: x
    mac_address: 02:00:00:00:00:01
    ports: ["80", "127.0.0.1:8080:81/udp", "9000-9002:82"]
    expose: ["70-71", "53/udp"]
    links: [b, "b:alias"]
    external_links: [other, "some:one"]
    networks:
      front: {priority: 9, aliases: [www], ipv4_address: 10.0.0.2, ipv6_address: "fd00::2",
              link_local_ips: [169.254.1.1], driver_opts: {k: 1}, interface_name: eth7, gw_priority: 3}
      back: null
  b: {image: x, network_mode: none}
networks:
  front:
    driver: bridge
    ipam: {driver: default, config: [{subnet: 10.0.0.0/24, aux_addresses: {h: 10.0.0.9}}]}
    labels: [l=1]
  back: {internal: true, attachable: true, enable_ipv6: true, driver_opts: {o: 1}}
volumes: {vol: {driver_opts: {type: tmpfs}, labels: [l=1]}}
""",
    all_resources=True,
)
A, B = APP.services["a"], APP.services["b"]


def test_first_network_by_priority_is_the_mode() -> None:
    assert (network_mode(APP, A, str), network_mode(APP, B, str)) == ("app_front", "none")


def test_endpoint_has_addresses_names_and_options() -> None:
    found = endpoints(APP, A, 2, ["app-b-1:b"], aliases=True)

    assert found["app_back"] == {"Aliases": ["app-a-2", "a"], "Links": ["app-b-1:b"]}
    assert found["app_front"] == {
        "Aliases": ["app-a-2", "a", "www"], "Links": ["app-b-1:b"], "MacAddress": "02:00:00:00:00:01",
        "IPAMConfig": {"IPv4Address": "10.0.0.2", "IPv6Address": "fd00::2", "LinkLocalIPs": ["169.254.1.1"]},
        "DriverOpts": {"k": "1", "com.docker.network.endpoint.ifname": "eth7"}, "GwPriority": 3,
    }  # fmt: skip
    assert list(found) == ["app_front", "app_back"]
    assert endpoints(APP, B, 1, [], aliases=True) == {}


def test_one_off_containers_do_not_answer_to_the_services_name() -> None:
    back = endpoints(APP, A, 1, [], aliases=False)["app_back"]

    assert back == {"Aliases": ["app-a-1"], "Links": None}


def test_ports_are_exposed_and_bound() -> None:
    assert list(exposed_ports(A)) == ["80/tcp", "81/udp", "82/tcp", "70/tcp", "71/tcp", "53/udp"]
    assert port_bindings(A) == {
        "80/tcp": [{"HostIp": "", "HostPort": ""}],
        "81/udp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
        "82/tcp": [{"HostIp": "", "HostPort": "9000-9002"}],
    }


def test_links_name_every_container_of_a_service() -> None:
    assert links_of(APP, A, lambda service: [f"app-{service}-1", f"app-{service}-2"]) == [
        "app-b-1:b", "app-b-1:b-1", "app-b-1:app-b-1", "app-b-2:b", "app-b-2:b-2", "app-b-2:app-b-2",
        "app-b-1:alias", "app-b-1:b-1", "app-b-1:app-b-1", "app-b-2:alias", "app-b-2:b-2", "app-b-2:app-b-2",
        "other:other", "some:one",
    ]  # fmt: skip


def test_network_is_made_as_it_is_described() -> None:
    front, back = network_document(APP, "front"), network_document(APP, "back")

    assert (front["Name"], front["Driver"]) == ("app_front", "bridge")
    pool = {"Subnet": "10.0.0.0/24", "AuxiliaryAddresses": {"h": "10.0.0.9"}}
    assert front["IPAM"] == {"Driver": "default", "Config": [pool], "Options": None}
    assert (back["Internal"], back["Attachable"], back["EnableIPv6"], back["Options"]) == (
        True,
        True,
        True,
        {"o": "1"},
    )
    labels = front["Labels"]
    assert isinstance(labels, dict)
    assert (labels["l"], labels["com.docker.compose.network"], labels["com.docker.compose.project"]) == (
        "1",
        "front",
        "app",
    )


def test_volume_is_made_as_it_is_described() -> None:
    found = volume_document(APP, "vol")
    labels = found["Labels"]

    assert (found["Name"], found["Driver"], found["DriverOpts"]) == ("app_vol", "local", {"type": "tmpfs"})
    assert isinstance(labels, dict)
    assert (labels["l"], labels["com.docker.compose.volume"]) == ("1", "vol")
