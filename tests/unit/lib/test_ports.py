from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.ports import PortMapping, from_bindings, parse_exposed, parse_publish, port_mappings, to_bindings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", [PortMapping(80)]),
        ("8080:80", [PortMapping(80, "tcp", "", 8080)]),
        ("5353:53/UDP", [PortMapping(53, "udp", "", 5353)]),
        ("127.0.0.1:8080:80/tcp", [PortMapping(80, "tcp", "127.0.0.1", 8080)]),
        ("127.0.0.1::80", [PortMapping(80, "tcp", "127.0.0.1")]),
        ("[::1]:8080:80", [PortMapping(80, "tcp", "::1", 8080)]),
        ("80-81", [PortMapping(80), PortMapping(81)]),
        ("8000-8001:80-81/udp", [PortMapping(80, "udp", "", 8000), PortMapping(81, "udp", "", 8001)]),
        ("8000-8010:80", [PortMapping(80, "tcp", "", 8000, 8010)]),
    ],
)
def test_publish_is_parsed(text: str, expected: list[PortMapping]) -> None:
    assert parse_publish(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no port specified: <empty>"),
        ("8080:", "no port specified: 8080:<empty>"),
        ("web", "invalid containerPort: web"),
        ("8080:99999", "invalid containerPort: 99999"),
        ("8080:٨٠", "invalid containerPort: ٨٠"),
        ("high:80", "invalid hostPort: high"),
        ("9000-8000:80", "invalid hostPort: 9000-8000"),
        ("8000-8002:80-81", "invalid ranges specified for container and host Ports: 80-81 and 8000-8002"),
        ("8080:80/icmp", "invalid proto: icmp"),
        ("300.0.0.1:8080:80", "invalid IP address: 300.0.0.1"),
        ("[::1:8080:80", "invalid IP address: [::1:8080:80"),
    ],
)
def test_malformed_publish_is_refused_in_dockers_words(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_publish(text)

    assert str(caught.value) == message


def test_bindings_survive_a_round_trip() -> None:
    mappings = [PortMapping(80, "tcp", "", 8000, 8010), PortMapping(80, "tcp", "127.0.0.1"), PortMapping(53, "udp")]

    assert from_bindings(to_bindings(mappings)) == mappings


@pytest.mark.parametrize("bindings", [{"80/tcp": None}, {"80": []}, {"80/tcp": [{"HostIp": None, "HostPort": None}]}])
def test_binding_without_a_host_port_asks_for_any(bindings: dict[str, list[dict[str, str | None]] | None]) -> None:
    assert from_bindings(bindings) == [PortMapping(80)]


@pytest.mark.parametrize("key", ["x/tcp", "0/tcp", "80/", "/tcp", "80/tcp/udp"])
def test_malformed_key_of_bindings_is_refused(key: str) -> None:
    if key == "80/":  # Go's parser takes a missing protocol for tcp
        assert from_bindings({key: None}) == [PortMapping(80)]
        return
    with pytest.raises(InvalidArgument):
        from_bindings({key: None})


def test_exposed_ports_are_published_unless_a_binding_names_them() -> None:
    found = port_mappings({"80/tcp": [{"HostPort": "8080"}]}, ["80/tcp", "443/tcp"])

    assert found == [PortMapping(80, "tcp", "", 8080), PortMapping(443)]


def test_exposed_ranges_are_taken_apart() -> None:
    assert parse_exposed("80-81/udp") == [(80, "udp"), (81, "udp")]
