from __future__ import annotations

from conformance import docker_cli
from conformance.docker_cli import KNOWN, SCENARIOS, Seen


def test_what_differs_from_run_to_run_is_put_in_one_form() -> None:
    text = f"Error: {'a' * 64} at 2026-01-01T00:00:00.5Z in /tmp/x/y/data/volumes: {'b' * 12}: unknown\r\n"

    assert docker_cli.normal(text) == "Error: <id> at <time> in <root>/volumes: <id>"


def test_steps_that_differ_are_told_unless_it_is_known_why() -> None:
    same = {name: [Seen(0, "", "")] * len(steps) for name, steps in SCENARIOS.items()}
    other = {name: [Seen(1, "", "")] * len(steps) for name, steps in SCENARIOS.items()}
    steps = [" ".join(step.words) for each in SCENARIOS.values() for step in each]

    assert docker_cli.compare(same, same) == []
    assert len(docker_cli.compare(same, other)) == len([step for step in steps if step not in KNOWN])


def test_every_known_difference_is_of_a_step_that_there_is() -> None:
    assert {" ".join(step.words) for each in SCENARIOS.values() for step in each} >= KNOWN.keys()
