"""up, down, ps and plan of real projects."""

from __future__ import annotations

import json

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root

APP = """
services:
  db:
    image: busybox
    command: sh -c 'sleep 0.2; touch /ready; exec sleep 1000'
    healthcheck: {test: [CMD, test, -f, /ready], interval: 100ms, retries: 100}
    volumes: ["data:/data", /anonymous]
    stop_grace_period: 0s
  web:
    image: busybox
    command: sleep 1000
    init: true
    scale: 2
    depends_on: {db: {condition: service_healthy}}
    environment: [VALUE=1]
    stop_grace_period: 0s
volumes: {data: {}}
"""
_UP = {"app-db-1": "running", "app-web-1": "running", "app-web-2": "running"}


def test_project_comes_up_stays_as_it_is_and_goes(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    assert compose.states() == _UP
    assert compose.done("plan") == "nothing to do\n"

    ids = compose.done("ps", "-q")
    compose.done("up", "-d")
    assert compose.done("ps", "-q") == ids

    compose.done("down", "-v")
    assert compose.states() == {}
    assert compose.daemon.get("/volumes")["Volumes"] == []
    assert "app_default" not in {one["Name"] for one in compose.daemon.get("/networks")}


def test_dependents_start_when_what_they_depend_on_is_healthy(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    [db] = [one for one in json.loads(f"[{compose.done('ps', '--format', 'json').strip().replace(chr(10), ',')}]")
            if one["Service"] == "db"]  # fmt: skip

    assert (db["Health"], db["ExitCode"], db["Publishers"]) == ("healthy", 0, [])


def test_change_replaces_what_changed_and_keeps_anonymous_volumes(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    web = set(compose.done("ps", "-q", "web").split())
    [db] = compose.done("ps", "-q", "db").split()
    before = {m["Destination"]: m["Name"] for m in compose.daemon.get(f"/containers/{db}/json")["Mounts"]}

    compose.write(APP.replace("touch /ready", "touch /ready /other"))
    compose.done("up", "-d")
    [after] = compose.done("ps", "-q", "db").split()
    mounts = {m["Destination"]: m["Name"] for m in compose.daemon.get(f"/containers/{after}/json")["Mounts"]}

    assert (after != db, mounts) == (True, before)
    assert set(compose.done("ps", "-q", "web").split()) == web
    assert compose.states() == _UP


def test_dry_run_prints_the_plan_and_does_nothing(compose: Compose) -> None:
    compose.write(APP)
    for words in (("up", "--dry-run"), ("--dry-run", "up", "-d"), ("plan",)):
        assert "#3 service:db:1, CreateContainer, no existing container\n" in compose.done(*words)
    assert compose.states() == {}


def test_scale_of_the_command_line_and_only_some_services(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d", "--no-deps", "--scale", "web=1", "web")

    assert compose.states() == {"app-web-1": "running"}


def test_created_ones_are_started_later(compose: Compose) -> None:
    compose.write(APP)
    compose.done("create")
    assert set(compose.states().values()) == {"created"}
    compose.done("up", "-d", "--wait")
    assert compose.states() == _UP


def test_orphans_are_told_and_go_on_demand(compose: Compose) -> None:
    compose.write("services: {old: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}")
    compose.done("up", "-d")
    compose.write("services: {new: {image: busybox, command: sleep 1000, stop_grace_period: 0s}}")

    assert "found orphan containers (app-old-1)" in compose("up", "-d").err
    compose.done("up", "-d", "--remove-orphans")
    assert compose.states() == {"app-new-1": "running"}


def test_dependency_that_fails_is_told_and_what_needs_it_is_not_started(compose: Compose) -> None:
    compose.write("""
        services:
          job: {image: busybox, command: sh -c 'exit 3'}
          web: {image: busybox, command: sleep 1000, depends_on: {job: {condition: service_completed_successfully}}}
    """)
    done = compose("up", "-d")

    assert done.code == 1
    assert 'service "job" didn\'t complete successfully: exit 3' in done.err
    assert compose.states() == {"app-job-1": "exited", "app-web-1": "created"}


def test_image_that_nobody_has_is_told_before_anything_is_made(compose: Compose) -> None:
    compose.write("services: {a: {image: 'localhost:1/none', command: x}}")
    done = compose("up", "-d")

    assert (done.code, compose.states()) == (1, {})


def test_image_is_built_when_it_is_missing_and_on_demand(compose: Compose) -> None:
    compose.write("services: {a: {build: {context: ., args: [WORD]}, stop_grace_period: 0s}}")
    compose.write("FROM busybox\nARG WORD\nRUN echo $WORD >/word\nCMD sleep 1000\n", "Dockerfile")
    compose.write("WORD=one\n", ".env")
    compose.done("up", "-d")
    compose.write("WORD=two\n", ".env")
    assert compose.done("plan") == "nothing to do\n"
    compose.done("up", "-d", "--build")
    [made] = compose.done("ps", "-q").split()

    assert compose.cli("exec", made, "cat", "/word").out == "two\n"
    compose.done("down", "--rmi", "local")
    assert "app-a:latest" not in {tag for one in compose.daemon.get("/images/json") for tag in one["RepoTags"] or []}
