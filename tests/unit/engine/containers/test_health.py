from __future__ import annotations

import pytest

from wharf.engine.containers.health import Check, Health, Result, check_of, merge, text
from wharf.spec.engine_api.container import ContainerConfig, HealthConfig

SECOND = 1_000_000_000
CHECK = Check(("true",), retries=2, start_period_ns=10 * SECOND, start_interval_ns=SECOND)


def result(code: int) -> Result:
    return Result("", "", code, str(code))


def through(*codes: int, since_start_ns: int = 60 * SECOND, health: Health | None = None) -> Health:
    found = health or Health()
    for code in codes:
        found = found.after(result(code), CHECK, since_start_ns)
    return found


@pytest.mark.parametrize(
    ("config", "command"),
    [
        ({}, None),
        ({"Healthcheck": {"Test": ["NONE"]}}, None),
        ({"Healthcheck": {"Test": []}}, None),
        ({"Healthcheck": {"Test": ["CMD", "a", "b"]}}, ("a", "b")),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "a b"]}}, ("/bin/sh", "-c", "a b")),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "a b"]}, "Shell": ["ash", "-xc"]}, ("ash", "-xc", "a b")),
    ],
)
def test_what_is_checked(config: ContainerConfig, command: tuple[str, ...] | None) -> None:
    check = check_of(config)

    assert (check.command if check else None) == command


def test_times_and_retries_are_the_containers_own() -> None:
    times: HealthConfig = {"Interval": 1, "Timeout": 2, "StartPeriod": 3, "StartInterval": 4, "Retries": 5}

    assert check_of({"Healthcheck": {"Test": ["CMD", "a"], **times}}) == Check(("a",), 1, 2, 3, 4, 5)


def test_what_is_not_said_is_dockers_default() -> None:
    assert check_of({"Healthcheck": {"Test": ["CMD", "x"], "Retries": 0}}) == Check(
        ("x",), 30 * SECOND, 30 * SECOND, 0, 5 * SECOND, 3
    )


def test_the_image_completes_a_check() -> None:
    own: HealthConfig = {"Retries": 5, "Test": []}
    image: HealthConfig = {"Test": ["CMD", "x"], "Retries": 2, "Interval": 7}

    assert merge(own, image) == {"Test": ["CMD", "x"], "Retries": 5, "Interval": 7}
    assert merge(None, image) == image


def test_failures_in_a_row_make_it_unhealthy_and_one_success_healthy() -> None:
    assert (through(1).status, through(1, 1).status, through(1, 0, 1).status) == ("starting", "unhealthy", "healthy")
    assert through(1, 1, 0).status == "healthy"
    assert through(0, -1, 137).failing_streak == 2


def test_failures_while_it_starts_do_not_count_until_it_was_healthy_once() -> None:
    early = through(1, 1, 1, since_start_ns=SECOND)

    assert (early.status, early.failing_streak, len(early.log)) == ("starting", 0, 3)
    assert through(1, 1, since_start_ns=SECOND, health=through(0)).status == "unhealthy"


def test_the_last_five_results_are_kept() -> None:
    assert [r.exit_code for r in through(1, 2, 3, 4, 5, 6).log] == [2, 3, 4, 5, 6]


def test_probes_come_faster_while_it_starts() -> None:
    assert CHECK.pause_ns(Health(), SECOND) == SECOND
    assert CHECK.pause_ns(Health(), 11 * SECOND) == 30 * SECOND
    assert CHECK.pause_ns(Health("healthy"), SECOND) == 30 * SECOND


def test_a_new_life_begins_as_starting_and_keeps_the_log() -> None:
    again = through(1, 1).begun()

    assert (again.status, again.failing_streak, len(again.log)) == ("starting", 0, 2)
    assert through(0).ended().status == "unhealthy"


def test_long_output_is_cut() -> None:
    assert text(b"x" * 4096) == "x" * 4096
    assert text(b"x" * 4097) == "x" * 4096 + "..."
