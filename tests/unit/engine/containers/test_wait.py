from __future__ import annotations

import asyncio

import pytest

from wharf.engine.containers.state import State
from wharf.engine.containers.wait import Ending, next_end


@pytest.mark.parametrize(
    ("before", "state", "ends"),
    [
        (State("created"), State("running"), False),
        (State("running"), State("exited", finished_at="t1"), True),
        (State("running", finished_at="t1"), State("restarting", finished_at="t2"), True),
        (State("restarting", finished_at="t2"), State("restarting", finished_at="t2", restart_count=1), False),
        (State("restarting", finished_at="t2"), State("exited", finished_at="t2"), True),
        (State("exited", finished_at="t1"), State("exited", finished_at="t1", restart_count=0), False),
        (State("exited", finished_at="t1"), State("exited", finished_at="t2"), True),
        (State("created"), State("removing"), True),
        (State("running"), State("paused"), False),
    ],
)
def test_an_end_is_told_from_other_changes(before: State, state: State, ends: bool) -> None:
    assert next_end(before)(state) is ends


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (State("exited", exit_code=3), {"StatusCode": 3}),
        (
            State("created", exit_code=127, error="no such file"),
            {"StatusCode": 127, "Error": {"Message": "no such file"}},
        ),
        (State("dead", exit_code=127, error="no such file"), {"StatusCode": 127}),
    ],
)
def test_who_waits_hears_why_there_was_no_start_unless_it_is_the_removal_that_he_waits_for(
    state: State, answer: dict[str, object]
) -> None:
    async def waited() -> object:
        return await Ending(state)

    assert asyncio.run(waited()) == answer
