"""What containers, networks and volumes are when operations have made them."""

from __future__ import annotations

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root


def test_secrets_and_configs_are_there_with_owner_and_mode(compose: Compose) -> None:
    compose.write("""
        services:
          a:
            image: busybox
            command: sh -c 'stat -c "%n %u %g %a" /run/secrets/* /c /etc/d; cat /run/secrets/* /c /etc/d'
            secrets: [env, {source: file, target: mine, uid: "7", gid: "8", mode: 0400}, plain]
            configs: [c, {source: c, target: /etc/d, mode: 0440}]
        secrets: {env: {environment: E}, file: {file: f}, plain: {file: f}}
        configs: {c: {content: "content of $$c\\n"}}
    """)
    compose.write("from a file\n", "f")
    compose.write("E=from a variable\n", ".env")
    (compose.folder / "f").chmod(0o644)
    compose.done("up", "-d")
    [made] = compose.done("ps", "-aq").split()
    compose.cli("wait", made)

    assert compose.cli("logs", made).out.splitlines() == [
        "/run/secrets/env 0 0 444",
        "/run/secrets/mine 7 8 400",
        "/run/secrets/plain 0 0 644",
        "/c 0 0 444",
        "/etc/d 0 0 440",
        "from a variablefrom a file",
        "from a file",
        "content of $c",
        "content of $c",
    ]


def test_secret_that_cannot_be_read_is_told_before_a_container_is_made(compose: Compose) -> None:
    compose.write("""
        services: {a: {image: busybox, command: "true", secrets: [{source: s, mode: 0400}]}}
        secrets: {s: {file: gone}}
    """)
    done = compose("up", "-d")

    assert (done.code, compose.states()) == (1, {})
    assert f"read {compose.folder}/gone: no such file or directory" in done.err


def test_network_that_changed_is_made_anew_and_its_containers_too(compose: Compose) -> None:
    app = """
        services: {a: {image: busybox, command: sleep 1000, stop_grace_period: 0s, networks: [net]}}
        networks: {net: {internal: %s}}
    """
    compose.write(app % "false")
    compose.done("up", "-d")
    compose.write(app % "true")
    compose.done("up", "-d")

    assert compose.daemon.get("/networks/app_net")["Internal"] is True
    assert compose.states() == {"app-a-1": "running"}
    assert compose.done("plan") == "nothing to do\n"


def test_namespaces_of_another_service_are_shared_and_links_resolve(compose: Compose) -> None:
    compose.write("""
        services:
          a: {image: busybox, command: sleep 1000, stop_grace_period: 0s}
          b: {image: busybox, command: sleep 1000, stop_grace_period: 0s, network_mode: "service:a", pid: "service:a"}
          c: {image: busybox, command: nslookup alias, links: ["a:alias"]}
    """)
    compose.done("up", "-d")
    a, b, c = (compose.done("ps", "-aq", name).strip() for name in "abc")

    assert compose.daemon.get(f"/containers/{b}/json")["HostConfig"]["NetworkMode"] == f"container:{a}"
    assert compose.cli("exec", b, "ps").out.count("sleep 1000") == 2
    compose.cli("wait", c)
    assert "Name:\talias" in compose.cli("logs", c).out
