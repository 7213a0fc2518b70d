from __future__ import annotations

import json

from tests.fakes.compose import project

from wharf.compose import identity
from wharf.compose.create.document import Make, Others, container_document
from wharf.compose.create.files import injected_files
from wharf.compose.provided.api_socket import wants_socket, with_api_socket

APP = project("services: {a: {image: x, use_api_socket: true}, b: {image: x}}")
OTHERS = Others(lambda name: name, lambda name: [name], lambda _: b"{}")


def test_socket_and_credentials_are_in_the_container_that_asked() -> None:
    given = with_api_socket(APP, "unix:///run/mine.sock", {"host": {"auth": "dTpw"}})
    document = container_document(given, given.services["a"], Make(), OTHERS)
    host = document["HostConfig"]

    assert isinstance(host, dict)
    assert host["Mounts"] == [{"Type": "bind", "Source": "/run/mine.sock", "Target": "/var/run/docker.sock"}]
    assert document["Env"] == ["DOCKER_CONFIG=/run/secrets/docker"]
    [file] = injected_files(given, given.services["a"], lambda _: b"")
    assert (file.path, json.loads(file.content)) == (
        "/run/secrets/docker/config.json", {"auths": {"host": {"auth": "dTpw"}}},
    )  # fmt: skip
    assert given.services["b"] == APP.services["b"]
    assert (wants_socket(APP), wants_socket(project("services: {a: {image: x}}"))) == (True, False)


def test_engine_elsewhere_has_its_socket_at_the_usual_place() -> None:
    given = with_api_socket(APP, "tcp://host:2375", {})

    assert given.services["a"].volumes[0].source == "/var/run/docker.sock"


def test_who_says_where_the_configuration_is_knows_better() -> None:
    app = project("services: {a: {image: x, use_api_socket: true, environment: {DOCKER_CONFIG: /mine}}}")

    assert with_api_socket(app, "unix:///s", {}).services["a"].environment == {"DOCKER_CONFIG": "/mine"}


def test_hash_is_that_of_docker_compose_for_the_usual_socket() -> None:
    given = with_api_socket(APP, "unix:///var/run/docker.sock", {})
    same = project("""
        services:
          a:
            image: x
            use_api_socket: true
            environment: {DOCKER_CONFIG: /run/secrets/docker}
            volumes: [{type: bind, source: /var/run/docker.sock, target: /var/run/docker.sock}]
            configs: [{source: c, target: /run/secrets/docker/config.json}]
        configs: {c: {content: x}}
        """).services["a"]
    mount = same.volumes[0]
    mount.bind = None
    same.configs[0].source = "#apisocket"

    assert identity.service_hash(given.services["a"]) == identity.service_hash(same)
