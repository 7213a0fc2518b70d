"""Commands about what runs: each against a project of two services."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Iterator

import pytest
from tests.root.compose.conftest import Compose
from tests.root.wharfd import until

_PROJECT = """
    services:
      web:
        image: busybox
        init: true
        command: ["sh", "-c", "echo up; httpd -f -p 80 -h /"]
        ports: ["127.0.0.1::80"]
        deploy: {replicas: 2}
        stop_grace_period: 1s
      job:
        image: busybox
        command: ["sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; exit 3"]
        volumes: ["data:/data"]
        stop_grace_period: 0s
    volumes: {data: {}}
"""


@pytest.fixture
def up(compose: Compose) -> Iterator[Compose]:
    compose.write(_PROJECT)
    compose.done("up", "--detach")
    yield compose
    compose.done("down", "-v")


def test_projects_images_and_volumes_are_listed(up: Compose) -> None:
    (project,) = json.loads(up.done("ls", "--format", "json"))
    assert (project["Name"], project["Status"]) == ("app", "running(3)")
    assert {row["ContainerName"] for row in json.loads(up.done("images", "--format", "json", "web"))} == {
        "app-web-1",
        "app-web-2",
    }
    assert up.done("volumes", "-q", "job") == "app_data\n"
    assert up.done("volumes", "-q", "web") == ""


def test_processes_and_figures_are_shown(up: Compose) -> None:
    top = up.done("top", "web").splitlines()
    assert top[0].split()[:4] == ["SERVICE", "#", "UID", "PID"]
    assert sum("httpd -f" in line for line in top) == 4  # of each the init's command line has it, too
    names = up.done("stats", "--no-stream", "--format", "{{.Name}}", "web").split()
    assert names == ["app-web-1", "app-web-2"]


def test_a_port_is_told_of_each_container(up: Compose) -> None:
    first, second = (up.done("port", "--index", number, "web", "80").strip() for number in ("1", "2"))

    assert first.startswith("127.0.0.1:")
    assert first != second
    assert up("port", "web", "81").err.strip() == "no port 81/tcp for container app-web-1"


def test_files_go_to_every_container_and_come_from_one(up: Compose) -> None:
    (up.folder / "page").write_text("hello")
    up.done("cp", "page", "web:/page")
    for number in ("1", "2"):
        up.done("cp", "--index", number, "web:/page", f"got{number}")

    assert [(up.folder / f"got{number}").read_text() for number in (1, 2)] == ["hello", "hello"]
    up.done("export", "-o", "root.tar", "web")
    with tarfile.open(up.folder / "root.tar") as archive:
        assert "page" in archive.getnames()
    made = up.done("commit", "-c", "LABEL seen=1", "web", "kept:1").strip()
    assert up.daemon.get("/images/kept:1/json")["Config"]["Labels"]["seen"] == "1"
    up.daemon.get(f"/images/{made}?force=1", "DELETE")


def test_the_end_of_a_container_is_waited_for_and_told_as_an_event(up: Compose) -> None:
    began = f"{time.time():.6f}"
    (up.folder / "go").write_text("")
    up.done("cp", "go", "job:/go")
    ended = up("wait", "job")
    assert (ended.code, ended.out.endswith("exited with status code 3\n")) == (3, True), ended

    def deaths() -> list[str]:
        lines = up.done("events", "--json", "--since", began, "--until", "0s", "job").splitlines()
        return [event["service"] for event in map(json.loads, lines) if event["action"] == "die"]

    until(lambda: deaths() == ["job"])


def test_a_project_goes_with_the_first_container_that_ends(up: Compose) -> None:
    (up.folder / "go").write_text("")
    up.done("cp", "go", "job:/go")

    assert up("wait", "--down-project", "job", "web").code == 3
    until(lambda: not up.states())


def test_dry_run_is_heard_before_and_after_the_command_and_changes_nothing(up: Compose) -> None:
    (up.folder / "page").write_text("hello")

    assert up.done("--dry-run", "cp", "page", "job:/page") == "wharf cp page app-job-1:/page\n"
    assert up.done("commit", "--dry-run", "job", "made:1") == "wharf commit app-job-1 made:1\n"
    assert up.done("--dry-run", "attach", "job") == "wharf attach app-job-1\n"
    assert ", Await, wait\n" in up.done("--dry-run", "wait", "--down-project", "job")
    assert up("exec", "-T", "job", "ls", "/page").code != 0
    assert up.states()["app-job-1"] == "running"
