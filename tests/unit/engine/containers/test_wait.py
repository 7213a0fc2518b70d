from __future__ import annotations

import pytest

from wharf.engine.containers.state import State
from wharf.engine.containers.wait import next_end


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
