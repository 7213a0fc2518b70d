from __future__ import annotations

from wharf.cli.ports import show_ports


def test_neighbouring_ports_are_joined_to_a_range() -> None:
    ports: list[dict[str, object]] = [
        {"IP": "0.0.0.0", "PrivatePort": 81, "PublicPort": 8081, "Type": "tcp"},
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 90, "Type": "udp"},
    ]

    assert show_ports(ports) == "0.0.0.0:8080-8081->80-81/tcp, 90/udp"


def test_address_of_version_6_is_in_brackets() -> None:
    assert show_ports([{"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}]) == "[::]:8080->80/tcp"
