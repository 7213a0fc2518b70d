from __future__ import annotations

from pathlib import Path

from conformance.compose_scenarios import LATER, SCENARIOS, Following, Step, play


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
    assert all(any("down" in step.words for step in steps) for steps in (SCENARIOS | LATER).values())


def test_steps_are_taken_while_a_command_follows(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin"}
    command = ["sh", "-c"]
    follow = ("echo ready; while ! test -e said; do sleep 0.01; done; cat said",)
    say = Step(("mv new said",), writes=("new", "and more"))

    assert play(command, [Following(follow, "ready", (say,), "and more", ends=True)], tmp_path, environment) == ""
    endless = Following(("echo ready; exec sleep 100",), "ready", (Step(("false",), code=1),))
    assert play(command, [endless], tmp_path, environment) == ""


def test_what_a_followed_command_does_not_say_is_told(tmp_path: Path) -> None:
    following = Following(("echo other",), "ready", (Step(("never",)),), ends=True)

    assert (
        play(["sh", "-c"], [following], tmp_path, {"PATH": "/usr/bin:/bin"}) == "echo other: no 'ready' in 'other\\n'"
    )


def test_what_nothing_announces_is_tried_until_it_is_there(tmp_path: Path) -> None:
    step = Step(("echo >>log; wc -l <log",), "3", until_s=30)

    assert play(["sh", "-c"], [step], tmp_path, {"PATH": "/usr/bin:/bin"}) == ""
