from __future__ import annotations

import asyncio

import pytest

from wharf.engine.containers.state import State
from wharf.engine.containers.wait import Ending, next_end
from wharf.spec.engine_api.container import ContainerWaitResponse


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


def test_only_who_asks_afterwards_is_told_why_a_container_could_not_be_started() -> None:
    state = State("exited", exit_code=127, error="no such file")

    async def answers() -> tuple[ContainerWaitResponse, ContainerWaitResponse]:
        waiting = asyncio.get_running_loop().create_future()
        waiting.set_result(state)
        return await Ending(state), await Ending(waiting)

    assert asyncio.run(answers()) == (
        {"StatusCode": 127, "Error": {"Message": "no such file"}},
        {"StatusCode": 127},  # the client that starts it hears it from the start, and would show it twice
    )
