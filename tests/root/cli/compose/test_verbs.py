from __future__ import annotations

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root

APP = """
services:
  db: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 1s}
  web: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 1s, depends_on: [db]}
"""


def test_verbs_change_states_in_the_order_of_dependencies(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    compose.done("pause", "web")
    assert compose.states() == {"app-db-1": "running", "app-web-1": "paused"}
    compose.done("unpause")
    stopped = compose("stop").err
    assert stopped.index("app-web-1  Stopped") < stopped.index("app-db-1  Stopping")
    assert set(compose.states().values()) == {"exited"}
    started = compose("start").err
    assert started.index("app-db-1  Started") < started.index("app-web-1  Starting")
    assert set(compose.states().values()) == {"running"}

    before = compose.daemon.get("/containers/app-web-1/json")["State"]["StartedAt"]
    compose.done("restart", "web")
    assert compose.daemon.get("/containers/app-web-1/json")["State"]["StartedAt"] > before
    compose.done("kill", "-s", "TERM", "web")
    compose.cli("wait", "app-web-1")
    assert compose("rm", "-f").err.count("Removed") == 1
    compose.done("rm", "-fs")
    assert compose.states() == {}


def test_removal_asks_first(compose: Compose) -> None:
    compose.write(APP)
    compose.done("create")

    assert "? Going to remove app-db-1, app-web-1 (y/N)" in compose.done("rm")
    assert len(compose.states()) == 2


def test_dry_run_and_a_service_that_is_not_there(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")

    assert "[1] -> #2 service:db:1, StopContainer, stop" in compose.done("stop", "--dry-run")
    refused = compose("restart", "nobody")
    assert (refused.code, refused.err.strip().splitlines()[-1]) == (1, "no such service: nobody")
