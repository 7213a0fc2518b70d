from __future__ import annotations

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root

APP = """
services:
  db: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 0s}
  web:
    image: busybox
    command: sleep 1000
    depends_on: [db]
    environment: [A=1]
    ports: ["80"]
    secrets: [token]
    volumes: ["data:/data"]
volumes: {data: {}}
secrets: {token: {environment: TOKEN}}
"""


def test_command_runs_beside_the_service_with_all_it_has(compose: Compose) -> None:
    compose.write(APP)
    compose.write("TOKEN=s3cret\n", ".env")
    script = "echo $A $B; cat /run/secrets/token; ls -d /data; nslookup db >/dev/null && echo found; exit 5"
    done = compose("run", "--rm", "-T", "-e", "B=2", "web", "sh", "-c", script)

    assert (done.code, done.out) == (5, "1 2\ns3cret/data\nfound\n")
    assert compose.states() == {"app-db-1": "running"}


def test_flags_change_what_the_service_is(compose: Compose) -> None:
    compose.write(APP)
    compose.write("TOKEN=x\n", ".env")
    (compose.folder / "here").write_text("mounted\n")
    flags = ("--no-deps", "--rm", "-T", "-u", "7", "-w", "/tmp", "-v", "./here:/here", "--entrypoint", "sh -c")
    done = compose("run", *flags, "web", "id -u; pwd; cat /here")

    assert (done.code, done.out) == (0, "7\n/tmp\nmounted\n")
    assert compose.states() == {}


def test_detached_one_has_a_name_and_is_shown_with_all_alone(compose: Compose) -> None:
    compose.write(APP)
    compose.write("TOKEN=x\n", ".env")
    compose.done("run", "-d", "--no-deps", "--name", "once", "web")
    record = compose.daemon.get("/containers/once/json")

    assert record["Config"]["Labels"]["com.docker.compose.oneoff"] == "True"
    assert record["HostConfig"]["PortBindings"] in ({}, None)
    assert compose.done("ps", "-q") == ""
    assert compose.done("ps", "-aq").strip() == record["Id"]
    compose.done("down", "-t", "0")
    assert compose.states() == {}
