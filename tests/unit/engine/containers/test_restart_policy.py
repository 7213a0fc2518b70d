from __future__ import annotations

import pytest

from wharf.engine.containers.restart_policy import next_delay_s, wants_restart, wants_start_with_engine


@pytest.mark.parametrize(
    ("policy", "exit_code", "count", "stopped", "restarts"),
    [
        ({"Name": "no"}, 1, 0, False, False),
        ({}, 1, 0, False, False),
        ({"Name": "always"}, 0, 9, False, True),
        ({"Name": "always"}, 0, 9, True, False),
        ({"Name": "unless-stopped"}, 1, 0, False, True),
        ({"Name": "on-failure"}, 0, 0, False, False),
        ({"Name": "on-failure"}, 1, 99, False, True),
        ({"Name": "on-failure", "MaximumRetryCount": 3}, 1, 2, False, True),
        ({"Name": "on-failure", "MaximumRetryCount": 3}, 1, 3, False, False),
    ],
)
def test_the_policy_decides_by_exit_code_count_and_the_users_will(
    policy: dict[str, object], exit_code: int, count: int, stopped: bool, restarts: bool
) -> None:
    assert wants_restart(policy, exit_code=exit_code, restart_count=count, stopped_by_user=stopped) is restarts


def test_delays_double_up_to_a_minute() -> None:
    delays, delay_s = [], 0.0
    for _ in range(12):
        delay_s = next_delay_s(delay_s, ran_s=0.5)
        delays.append(delay_s)

    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0]


def test_a_container_that_had_settled_starts_over_with_the_shortest_delay() -> None:
    assert next_delay_s(51.2, ran_s=10) == 0.1


@pytest.mark.parametrize(
    ("name", "was_alive", "stopped", "starts"),
    [
        ("always", False, True, True),
        ("always", True, False, True),
        ("unless-stopped", True, True, False),
        ("unless-stopped", True, False, True),
        ("on-failure", False, False, False),
        ("no", True, False, False),
    ],
)
def test_an_engine_that_starts_brings_back_what_the_policy_wants(
    name: str, was_alive: bool, stopped: bool, starts: bool
) -> None:
    assert wants_start_with_engine({"Name": name}, was_alive=was_alive, stopped_by_user=stopped) is starts
