from __future__ import annotations

import pytest

from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.verbs import KILL, PAUSE, REMOVE, RESTART, START, STOP, UNPAUSE, Verb, plan_verb

OBSERVED = Observed(
    (
        Container("1", "app-db-1", "db", 1, "running"),
        Container("2", "app-web-1", "web", 1, "exited"),
        Container("3", "app-web-2", "web", 2, "running"),
        Container("4", "app-idle-1", "idle", 1, "paused"),
        Container("5", "app-db-run-1", "db", 1, "running", oneoff=True),
    )
)
NEEDS = {"web": ["db"]}


@pytest.mark.parametrize(
    ("verb", "lines"),
    [
        (START, ["[] -> #1 service:web:1, StartContainer, start"]),
        (
            STOP,
            [
                "[] -> #1 service:web:2, StopContainer, stop",
                "[1] -> #2 service:db:1, StopContainer, stop",
                "[] -> #3 service:idle:1, StopContainer, stop",
            ],
        ),
        (
            RESTART,
            [
                "[] -> #1 service:idle:1, RestartContainer, restart",
                "[] -> #2 service:db:1, RestartContainer, restart",
                "[2] -> #3 service:web:1, RestartContainer, restart",
                "[2] -> #4 service:web:2, RestartContainer, restart",
            ],
        ),
        (
            KILL,
            [
                "[] -> #1 service:web:2, KillContainer, kill",
                "[] -> #2 service:db:1, KillContainer, kill",
                "[] -> #3 service:idle:1, KillContainer, kill",
            ],
        ),
        (PAUSE, ["[] -> #1 service:web:2, PauseContainer, pause", "[] -> #2 service:db:1, PauseContainer, pause"]),
        (UNPAUSE, ["[] -> #1 service:idle:1, UnpauseContainer, unpause"]),
        (REMOVE, ["[] -> #1 service:web:1, RemoveContainer, rm"]),
    ],
)
def test_verb_is_for_containers_in_its_states_in_its_order(verb: Verb, lines: list[str]) -> None:
    assert str(plan_verb(verb, OBSERVED, NEEDS)).splitlines() == lines


def test_services_that_are_named_are_meant_alone() -> None:
    assert [one.service for one in plan_verb(STOP, OBSERVED, NEEDS, ["db"])] == ["db"]
