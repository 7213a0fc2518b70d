from __future__ import annotations

from tests.fakes.builds import HOST

from wharf.build.convert.options import Options
from wharf.build.convert.stage import StageState


def _state() -> StageState:
    return StageState("app", HOST, Options(HOST, HOST), "\\", total=2)


def test_steps_are_numbered_and_recorded() -> None:
    state = _state()
    state.record("RUN x", layer=True, buildkit=True)
    state.record("CMD x")

    assert state.next_name("RUN x") == "[app 1/2] RUN x"
    assert [line["created_by"] for line in state.image["history"]] == ["RUN x # buildkit", "CMD x"]
    assert [line.get("empty_layer", False) for line in state.image["history"]] == [False, True]


def test_a_child_starts_where_its_parent_ended_and_changes_alone() -> None:
    parent = _state()
    parent.config["Env"] = ["A=1"]
    parent.environment = {"A": "1", "arg": "2"}
    parent.arguments = {"arg": "2"}

    child = parent.child("more", HOST)
    child.config["Env"].append("B=2")

    assert parent.config["Env"] == ["A=1"]
    assert child.environment == {"A": "1", "arg": "2"}
