from __future__ import annotations

import pytest

from wharf.cli.command import Session
from wharf.cli.compose.carry import DRY_RUN, carry_out, is_dry
from wharf.cli.compose.globals import take
from wharf.cli.flags import parse
from wharf.compose.execute.steps import Steps
from wharf.compose.plan.operations import Operation, Plan


class Noting(Steps):
    """Steps that are only noted."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def __call__(self, operation: Operation) -> None:
        self.done.append(operation.number)


def session(*flags: str) -> Session:
    found = Session("unix:///nowhere", explicit_host=True)
    found.group_flags, _ = take(list(flags))
    return found


def test_flag_may_stand_before_or_after_the_command() -> None:
    without, _ = parse([DRY_RUN], [])
    with_it, _ = parse([DRY_RUN], ["--dry-run"])

    assert [is_dry(session(), without), is_dry(session("--dry-run"), without), is_dry(session(), with_it)] == [
        False, True, True,
    ]  # fmt: skip


def test_plan_is_done_and_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    plan, steps = Plan(), Noting()
    plan.add("CreateVolume", "volume:v", "no such volume")
    carry_out(session("--progress", "plain", "--parallel", "1"), plan, steps)

    assert steps.done == [1]
    assert capsys.readouterr().err == " Volume v  Creating\n Volume v  Created\n"


def test_nothing_to_do_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    carry_out(session(), Plan(), Noting())

    assert capsys.readouterr().err == ""
