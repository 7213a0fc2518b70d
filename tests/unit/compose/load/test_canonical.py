from __future__ import annotations

import pytest

from wharf.compose.load.canonical import canonical
from wharf.compose.load.located import ComposeError, Map, Override, Reset
from wharf.compose.load.yaml import parse


def service(text: str, *, interpolated: bool = True) -> object:
    [tree] = parse(f"services: {{a: {text}}}", "f.yaml")
    assert isinstance(tree, Map)
    services = canonical(tree, interpolated=interpolated)["services"]
    assert isinstance(services, Map)
    return services["a"]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("{build: .}", {"build": {"context": "."}}),
        ("{command: echo 'a b'}", {"command": ["echo", "a b"]}),
        ("{healthcheck: {test: curl x}}", {"healthcheck": {"test": ["CMD-SHELL", "curl x"]}}),
        ("{depends_on: [b]}", {"depends_on": {"b": {"condition": "service_started", "required": True}}}),
        (
            "{depends_on: {b: {condition: service_healthy}}}",
            {"depends_on": {"b": {"condition": "service_healthy", "required": True}}},
        ),
        ("{env_file: x.env}", {"env_file": [{"path": "x.env", "required": True}]}),
        ("{env_file: [{path: x, required: false}]}", {"env_file": [{"path": "x", "required": False}]}),
        ("{extends: b}", {"extends": {"service": "b"}}),
        ("{networks: [n]}", {"networks": {"n": None}}),
        ("{gpus: all}", {"gpus": [{"count": -1}]}),
        ("{secrets: [s]}", {"secrets": [{"source": "s"}]}),
        ("{labels: [a=b, c]}", {"labels": {"a": "b", "c": ""}}),
        (
            "{tty: 'yes', cpus: '1.5', scale: '2', mem_limit: 5, user: 1000}",
            {"tty": True, "cpus": 1.5, "scale": 2, "mem_limit": "5", "user": "1000"},
        ),
        (
            "{devices: ['/dev/x', '/dev/y:/dev/z:r']}",
            {
                "devices": [
                    {"source": "/dev/x", "target": "/dev/x", "permissions": "rwm"},
                    {"source": "/dev/y", "target": "/dev/z", "permissions": "r"},
                ]
            },
        ),
        (
            "{provider: {type: t, options: {n: 1, m: [a, b]}}}",
            {"provider": {"type": "t", "options": {"n": ["1"], "m": ["a", "b"]}}},
        ),
        ("{ports: [{target: 80, published: 8080}]}", {"ports": [{"target": 80, "published": "8080"}]}),
        (
            "{ulimits: {nofile: '5', nproc: {soft: 1, hard: '2'}}}",
            {"ulimits": {"nofile": 5, "nproc": {"soft": 1, "hard": 2}}},
        ),
        ("{dns: 1.1.1.1, x-mine: {a: 1}}", {"dns": ["1.1.1.1"], "x-mine": {"a": 1}}),
    ],
)
def test_short_syntax_becomes_the_long_one(short: str, long: dict[str, object]) -> None:
    assert service(short) == long


def test_marks_of_merging_stay_around_what_is_made_long() -> None:
    assert service("{build: !override ., labels: !reset null}") == {
        "build": Override({"context": "."}),
        "labels": Reset(),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{tty: maybe}", "f.yaml:1: services.a.tty: failed to cast to expected type: invalid boolean: maybe"),
        ("{scale: many}", "f.yaml:1: services.a.scale: failed to cast to expected type: 'many' is no integer"),
        ("{cpus: few}", "f.yaml:1: services.a.cpus: failed to cast to expected type: 'few' is no number"),
        ("{ports: ['a:b']}", "f.yaml:1: services.a.ports: invalid"),
        ("{volumes: ['a:b:c:d']}", "f.yaml:1: services.a.volumes.0: invalid spec: a:b:c:d: too many colons"),
        ('{command: "a \'b"}', "f.yaml:1: services.a.command: invalid command line string"),
        ("{extra_hosts: [x]}", "f.yaml:1: services.a.extra_hosts: invalid additional host, missing IP: x"),
    ],
)
def test_malformed_value_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        service(text)

    assert str(raised.value).startswith(said)


def test_with_variables_left_in_what_cannot_be_read_yet_stays() -> None:
    assert service("{scale: '${N}', ports: ['${P}:80'], tty: '${T}'}", interpolated=False) == {
        "scale": "${N}",
        "ports": ["${P}:80"],
        "tty": "${T}",
    }


def test_shared_resources_become_long_too() -> None:
    [tree] = parse("volumes: {v: {external: {name: x}}}\nnetworks: {n: {labels: [a=b]}}\ninclude: [f]\n", "f.yaml")
    assert isinstance(tree, Map)

    assert canonical(tree) == {
        "volumes": {"v": {"external": True, "name": "x"}},
        "networks": {"n": {"labels": {"a": "b"}}},
        "include": [{"path": ["f"]}],
    }
