from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.starts import plan_starts, plan_wait, plan_waits
from wharf.compose.plan.work import Options, Work

APP = project(
    "services: {db: {image: x, healthcheck: {test: [CMD, x]}}, job: {image: x},"
    " web: {image: x, depends_on: {db: {condition: service_healthy}, job: {condition:"
    " service_completed_successfully}}}}"
)


def work(*there: Container) -> Work:
    return Work(APP, Observed(there), Options())


def one(service: str, state: str, health: str = "", code: int = 0) -> Container:
    return Container(service, f"app-{service}-1", service, 1, state, health=health, exit_code=code)


@pytest.mark.parametrize("state", ["running", "restarting", "paused"])
def test_what_runs_is_left_alone(state: str) -> None:
    found = work(one("db", state))
    plan_starts(found, APP.services["db"])

    assert len(found.plan) == 0


def test_start_waits_for_conditions_that_do_not_hold_yet() -> None:
    found = work(one("db", "running", "starting"), one("job", "exited", code=1), one("web", "exited"))
    plan_starts(found, APP.services["web"])

    assert str(found.plan).splitlines() == [
        "[] -> #1 service:db, Await, it is to be healthy",
        "[] -> #2 service:job, Await, it is to be completed successfully",
        "[1,2] -> #3 service:web:1, StartContainer, it is exited",
    ]


def test_conditions_that_hold_are_not_waited_for() -> None:
    found = work(one("db", "running", "healthy"), one("job", "exited"), one("web", "created"))
    plan_starts(found, APP.services["web"])

    assert str(found.plan) == "[] -> #1 service:web:1, StartContainer, it is created\n"


def test_wait_is_planned_once_for_all() -> None:
    found = work(one("db", "running", "starting"))

    assert plan_wait(found, "db", "service_healthy", required=True) == 1
    assert plan_wait(found, "db", "service_healthy", required=True) == 1
    assert plan_wait(found, "job", "service_started", required=True) is None


def test_waiting_for_all_asks_for_health_where_there_is_a_check() -> None:
    found = work(one("db", "running", "starting"), one("job", "exited"), one("web", "running"))
    plan_waits(found)

    assert [(each.service, each.details.condition) for each in found.plan] == [
        ("db", "service_healthy"), ("job", "running"),
    ]  # fmt: skip
