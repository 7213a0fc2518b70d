from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.model.deploy import Deploy
from wharf.compose.model.service import Attachment, Service


def test_scale_is_above_replicas_and_one_is_usual() -> None:
    assert [one.replicas for one in (Service(), Service(deploy=Deploy(replicas=3)), Service(scale=0))] == [1, 3, 0]


def test_networks_come_by_priority_then_name() -> None:
    service = Service(networks={"b": None, "a": None, "z": Attachment(priority=5)})

    assert service.networks_in_order() == ["z", "a", "b"]


def test_name_is_not_printed_and_hosts_are_lines() -> None:
    service = project("services: {a: {image: x, extra_hosts: [h:1.1.1.1, h:2.2.2.2], network_mode: host}}").services[
        "a"
    ]

    assert service.name == "a"
    assert service.printed() == {
        "extra_hosts": ["h=1.1.1.1", "h=2.2.2.2"], "image": "x", "network_mode": "host",
    }  # fmt: skip


def test_command_that_is_taken_away_is_printed_in_its_place() -> None:
    service = Service(command=[], entrypoint=[], image="x", cap_add=["A"])

    assert list(service.printed().items()) == [
        ("cap_add", ["A"]),
        ("command", []),
        ("entrypoint", []),
        ("image", "x"),
    ]
    assert service.printed(as_json=True) == {"cap_add": ["A"], "command": [], "entrypoint": [], "image": "x"}
