from __future__ import annotations

from typing import Any

from tests.fakes.compose import project

from wharf.compose.generate import generated
from wharf.compose.yaml_text import to_yaml


def container(name: str, **parts: Any) -> dict[str, object]:
    """What the Engine API says of a container."""
    return {
        "Name": f"/{name}",
        "Config": {"Image": "busybox", "Env": ["A=b", "NONE", "E="], "Labels": {}, **parts.pop("Config", {})},
        "HostConfig": {"PortBindings": parts.pop("ports", {})},
        "NetworkSettings": {"Networks": parts.pop("networks", {"front": {"Aliases": ["al"]}})},
        **parts,
    }


MOUNTS: list[dict[str, object]] = [
    {"Type": "bind", "Source": "/app/site", "Destination": "/srv", "RW": False},
    {"Type": "bind", "Source": "/etc/x", "Destination": "/x", "RW": True},
    {"Type": "bind", "Source": "/app/key", "Destination": "/run/secrets/key", "RW": False},
    {"Type": "volume", "Name": "data", "Driver": "local", "Destination": "/data", "RW": True},
    {"Type": "volume", "Name": "far", "Driver": "nfs", "Destination": "/far", "RW": True},
    {"Type": "tmpfs", "Destination": "/tmp", "RW": True},
]


def test_mounts_become_volumes_and_secrets() -> None:
    found = generated("x", [container("web", Mounts=MOUNTS)], [], folder="/app").printed()

    web = found["services"]["web"]  # type: ignore[index]
    assert web["volumes"] == [
        {"type": "bind", "source": "./site", "target": "/srv", "read_only": True},
        {"type": "bind", "source": "/etc/x", "target": "/x"},
        {"type": "volume", "source": "data", "target": "/data"},
        {"type": "volume", "source": "far", "target": "/far"},
    ]
    assert web["secrets"] == [{"source": "key", "target": "/run/secrets/key"}]
    assert found["volumes"] == {"data": {}, "far": {"driver": "nfs", "name": "far"}}
    assert found["secrets"] == {"key": {"name": "key", "file": "./key"}}


def test_settings_of_a_container_become_those_of_a_service() -> None:
    health = {"Test": ["CMD", "true"], "Interval": 5_000_000_000, "Retries": 3}
    labels = {"own": "1", "com.docker.compose.project": "p", "desktop.docker.io/x": "y"}
    ports = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "53/udp": [{"HostPort": "53"}], "9/tcp": None}
    one = container("web", Config={"Healthcheck": health, "Labels": labels}, ports=ports)

    assert generated("", [one], ["front"]).printed() == {
        "services": {
            "web": {
                "environment": {"A": "b", "E": "", "NONE": None},
                "healthcheck": {"test": ["CMD", "true"], "interval": "5s", "retries": 3},
                "image": "busybox",
                "labels": {"own": "1"},
                "networks": {"front": {"aliases": ["al"]}},
                "ports": [
                    {"target": 53, "published": "53", "protocol": "udp"},
                    {"host_ip": "127.0.0.1", "target": 80, "published": "8080", "protocol": "tcp"},
                ],
                "scale": 1,
            }
        },
        "networks": {"front": {"internal": True}},
    }


def test_containers_of_a_service_are_one_service_of_their_number() -> None:
    labels = {"com.docker.compose.service": "web"}
    some = [container(f"p-web-{i}", Config={"Labels": labels}) for i in (1, 2)]

    assert {name: one.scale for name, one in generated("p", some, []).services.items()} == {"web": 2}


def test_what_is_generated_can_be_loaded() -> None:
    text = to_yaml(generated("p", [container("web", Mounts=MOUNTS)], []).printed())

    assert project(text).services["web"].image == "busybox"
