from __future__ import annotations

from wharf.compose.load.canonical import canonical
from wharf.compose.load.complete import complete
from wharf.compose.load.located import Map
from wharf.compose.load.yaml import parse


def completed(text: str, **variables: str) -> Map:
    [tree] = parse(text, "f.yaml")
    assert isinstance(tree, Map)
    return complete(canonical(tree), "app", variables)


def service(text: str, **variables: str) -> Map:
    services = completed(f"services: {{a: {text}}}", **variables)["services"]
    assert isinstance(services, Map)
    found = services["a"]
    assert isinstance(found, Map)
    return found


def test_project_gets_its_name_its_network_and_names_for_all_it_shares() -> None:
    tree = completed("services: {a: {image: x}}\nvolumes: {v: null, e: {external: true}, n: {name: mine}}\n")

    assert tree == {
        "name": "app",
        "services": {"a": {"image": "x", "networks": {"default": None}}},
        "networks": {"default": {"name": "app_default"}},
        "volumes": {"v": {"name": "app_v"}, "e": {"external": True, "name": "e"}, "n": {"name": "mine"}},
    }


def test_default_network_is_not_there_when_nobody_uses_it() -> None:
    assert "networks" not in completed("services: {a: {image: x, network_mode: host}}")
    assert "networks" not in completed("services: {a: {provider: {type: x}}}")


def test_dependencies_are_what_others_are_shared_with() -> None:
    found = service(
        "{image: x, depends_on: [d], links: ['l:alias'], network_mode: 'service:n',"
        " volumes_from: ['v:ro', 'container:c'],"
        " pid: 'service:p'}"
    )["depends_on"]
    implied = {"condition": "service_started", "required": True}

    assert found == {
        "d": implied, "l": {**implied, "restart": True}, "n": {**implied, "restart": True},
        "p": {**implied, "restart": True}, "v": implied,
    }  # fmt: skip


def test_variables_without_a_value_come_from_outside() -> None:
    found = service("{image: x, environment: [A, B, C=1], build: {context: ., args: [A, B]}}", A="a")

    assert found["environment"] == {"A": "a", "B": None, "C": "1"}
    assert found["build"] == {"context": ".", "args": {"A": "a"}, "dockerfile": "Dockerfile"}


def test_defaults_are_said() -> None:
    found = service(
        "{image: x, ports: [{target: 80}], secrets: [s], gpus: [{driver: n}], pull_policy: if_not_present,"
        " volumes: [{type: bind, source: /a, target: /b/, bind: {}}],"
        " deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}}"
    )

    assert found["ports"] == [{"mode": "ingress", "protocol": "tcp", "target": 80}]
    assert found["secrets"] == [{"target": "/run/secrets/s", "source": "s"}]
    assert found["gpus"] == [{"driver": "n", "count": -1}]
    assert found["pull_policy"] == "missing"
    assert found["volumes"] == [{"type": "bind", "source": "/a", "target": "/b", "bind": {}}]
    assert found["deploy"] == {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"], "count": -1}]}}}
