from __future__ import annotations

from pathlib import Path

from conformance.compose_scenarios import SCENARIOS, Step, play


def test_steps_are_taken_until_one_goes_wrong(tmp_path: Path) -> None:
    command = ["sh", "-c", 'echo "$0" >>log; test "$0" != bad']
    steps = [Step(("one",)), Step(("bad",)), Step(("never",))]
    said = play(command, steps, tmp_path, {"PATH": "/usr/bin:/bin"})

    assert said.startswith("bad: exit 1 instead of 0")
    assert (tmp_path / "log").read_text() == "one\nbad\ndown\n"


def test_output_must_have_what_the_step_says_and_nothing_that_it_forbids(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin"}

    assert play(["echo"], [Step(("up",), "u.", "down")], tmp_path, environment) == ""
    assert play(["echo"], [Step(("up",), "x")], tmp_path, environment) == "up: no 'x' in 'up\\n'"
    assert play(["echo"], [Step(("up",), "", "u")], tmp_path, environment) == "up: 'u' in 'up\\n'"


def test_every_scenario_takes_its_project_down() -> None:
    assert all(any(step.words[0] == "down" for step in steps) for steps in SCENARIOS.values())
