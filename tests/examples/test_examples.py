from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.examples.conftest import Project, fetch
from tests.root.wharfd import until

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(600)]
Example = Callable[[str], Project]


def test_a_web_application_keeps_rows_in_a_database_that_nobody_else_reaches(example: Example) -> None:
    project = example("web-and-database")
    project.up()
    rows = project.address("web", 8000) + "/rows"

    assert json.loads(fetch(rows, "written from the host")[0]) == {"id": 1, "text": "written from the host"}
    project.ok("down")
    project.up()
    assert json.loads(fetch(project.address("web", 8000) + "/rows")[0]) == [
        {"id": 1, "text": "written from the host"}
    ]

    way_out = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    refused = project("exec", "-T", "db", "sh", "-c", f'python3 -c "{way_out}" || ip route get 192.0.2.1 || exit 3')
    assert refused.code != 0


def test_workers_that_are_added_share_the_jobs(example: Example) -> None:
    project = example("queue")
    project.up()
    project.ok("up", "--detach", "--scale", "worker=4", "--no-recreate")
    project.ok("run", "--rm", "-T", "worker", "put", "300")

    until(lambda: "300 jobs done" in project.ok("run", "--rm", "-T", "worker", "done"), timeout_s=30)
    told = project.ok("run", "--rm", "-T", "worker", "done")
    assert f"the squares' sum is {sum(n * n for n in range(300))}" in told


def test_a_balancer_finds_the_servers_that_are_added(example: Example) -> None:
    project = example("balanced-site")
    project.up()
    address = project.address("balancer", 80)

    def servers() -> set[str]:
        return {fetch(address)[1] for _ in range(20)}

    assert "A static site" in fetch(address)[0]
    until(lambda: len(servers()) == 3, timeout_s=20)
    project.ok("up", "--detach", "--scale", "site=5", "--no-recreate")
    until(lambda: len(servers()) == 5, timeout_s=20)
