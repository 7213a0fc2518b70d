from __future__ import annotations

import time

import pytest
from tests.root.compose.conftest import Compose

from wharf.compose.execute.engine import Engine
from wharf.compose.execute.waiting import wait_for
from wharf.errors import Conflict, Unavailable

pytestmark = pytest.mark.root


def started(compose: Compose, script: str, *flags: str) -> str:
    done = compose.cli("run", "-d", "--init", *flags, "busybox", "sh", "-c", script)
    assert done.code == 0, done
    return done.out.strip()


def test_health_is_waited_for_and_found_at_once_later(compose: Compose, engine: Engine) -> None:
    check = ("--health-cmd", "test -f /ok", "--health-interval", "100ms", "--health-retries", "100")
    one = started(compose, "sleep 0.3; touch /ok; exec sleep 1000", *check)
    wait_for(engine, one, "service_healthy")
    wait_for(engine, one, "running")

    assert engine.containers.inspect(one)["State"]["Health"]["Status"] == "healthy"  # type: ignore[index]


def test_end_is_waited_for(compose: Compose, engine: Engine) -> None:
    wait_for(engine, started(compose, "sleep 0.2"), "service_completed_successfully")
    with pytest.raises(Conflict, match="didn't complete successfully: exit 4"):
        wait_for(engine, started(compose, "sleep 0.2; exit 4"), "service_completed_successfully")


@pytest.mark.parametrize(
    ("script", "flags", "said"),
    [
        ("exit 3", ("--health-cmd", "true"), r"exited \(3\)"),
        ("sleep 1000", (), "has no healthcheck configured"),
        (
            "sleep 1000",
            ("--health-cmd", "false", "--health-interval", "100ms", "--health-retries", "1"),
            "is unhealthy",
        ),
    ],
)
def test_what_will_never_be_healthy_is_told(
    compose: Compose, engine: Engine, script: str, flags: tuple[str, ...], said: str
) -> None:
    one = started(compose, script, *flags)
    with pytest.raises(Conflict, match=said):
        wait_for(engine, one, "service_healthy")


def test_time_that_is_over_is_told(compose: Compose, engine: Engine) -> None:
    one = started(compose, "sleep 1000", "--health-cmd", "false", "--health-interval", "100s")
    with pytest.raises(Unavailable, match="is not healthy in time"):
        wait_for(engine, one, "service_healthy", time.time() + 0.3)
