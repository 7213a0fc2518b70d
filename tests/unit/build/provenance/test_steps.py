from __future__ import annotations

from typing import Any, cast

from tests.unit.build.provenance.graphs import graph

from wharf.build.provenance.steps import locations_of, steps_of


def _steps() -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", steps_of(graph())["llbDefinition"])


def test_steps_stand_after_what_they_need() -> None:
    steps = _steps()
    names = [step["id"] for step in steps]
    for place, step in enumerate(steps):
        assert all(name.partition(":")[0] in names[:place] for name in step.get("inputs", []))
    assert [next(iter(step["op"]["Op"])) for step in steps] == ["source", "source", "exec", "file", "diff", "merge"]


def test_operations_have_buildkits_fields() -> None:
    source, _, run, files, *_ = (step["op"] for step in _steps())
    assert source["platform"] == {"OS": "linux", "Architecture": "arm", "Variant": "v7"}
    command = run["Op"]["exec"]
    assert command["meta"] == {"args": ["make"], "env": ["A=1"], "cwd": "/", "user": "u"}
    assert command["mounts"][1] == {
        "input": -1,
        "dest": "/s",
        "output": -1,
        "mountType": 1,
        "secretOpt": {"ID": "token", "optional": True},
    }
    assert (command["security"], command["secretenv"][0]["name"]) == (1, "V")
    actions = files["Op"]["file"]["actions"]
    assert [next(iter(one["Action"])) for one in actions] == ["copy", "mkdir", "mkfile", "symlink", "rm"]
    assert [(one["input"], one["output"]) for one in actions] == [(0, -1), (2, -1), (3, -1), (4, -1), (5, 0)]
    assert actions[0]["Action"]["copy"]["owner"] == {
        "user": {"User": {"byName": {"name": "app"}}},
        "group": {"User": {"byID": 7}},
    }


def test_lines_are_of_their_steps() -> None:
    target = graph()
    names = cast("dict[str, str]", steps_of(target)["digestMapping"])
    (name,) = (step["id"] for step in _steps() if "exec" in step["op"]["Op"])
    lines = [{"start": {"line": line}, "end": {"line": line}} for line in (2, 3)]
    assert locations_of(target, names) == {name: {"locations": [{"ranges": lines}]}}
