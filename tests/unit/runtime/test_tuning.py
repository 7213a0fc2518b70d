from __future__ import annotations

from typing import Any

import pytest

from wharf.runtime import tuning
from wharf.runtime.errors import StartFailed


@pytest.mark.parametrize(("text", "numbers"), [("", set()), ("0", {0}), ("0-3,7", {0, 1, 2, 3, 7}), ("5, 6", {5, 6})])
def test_lists_of_cpus_are_sets(text: str, numbers: set[int]) -> None:
    assert tuning.members(text) == numbers


@pytest.mark.parametrize("text", ["x", "1-", "-1", "1-x", "0-99999999", "3-1"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(StartFailed, match="not a list of numbers"):
        tuning.members(text)


def test_a_plan_says_what_is_done_in_order() -> None:
    process: Any = {
        "scheduler": {"policy": "SCHED_BATCH", "nice": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
        "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4},
        "execCPUAffinity": {"initial": "0", "final": "0-1"},
    }
    linux: Any = {
        "personality": {"domain": "LINUX32"},
        "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
    }

    plan = tuning.plan(process, linux, additional=True)

    assert plan.initial == {0}
    assert plan.steps == [
        ("affinity", (), {0, 1}),
        ("set_scheduler", (3, 1, 5, 0, 0, 0, 0), set()),
        ("set_io_priority", (3, 4), set()),
        ("set_domain", (8,), set()),
        ("set_memory_policy", (2 | 1 << 15,), {0}),
    ]
    assert [step[0] for step in tuning.plan(process, {}).steps] == ["set_scheduler", "set_io_priority"]


@pytest.mark.parametrize(
    ("process", "linux", "message"),
    [
        ({"scheduler": {"policy": "SCHED_MOON"}}, {}, 'invalid scheduler policy "SCHED_MOON"'),
        ({"scheduler": {"policy": "SCHED_OTHER", "flags": ["X"]}}, {}, 'invalid scheduler flag "X"'),
        ({"scheduler": {"policy": "SCHED_FIFO", "runtime": 1}}, {}, "SCHED_DEADLINE alone"),
        ({"scheduler": {}}, {}, 'invalid scheduler policy ""'),
        ({"ioPriority": {}}, {}, 'invalid ioPriority.class ""'),
        ({}, {"personality": {}}, 'invalid personality domain ""'),
        ({}, {"memoryPolicy": {}}, 'invalid memoryPolicy mode ""'),
        ({"ioPriority": {"class": "X", "priority": 1}}, {}, 'invalid ioPriority.class "X"'),
        ({"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}}, {}, "from 0 to 7"),
        ({}, {"personality": {"domain": "BSD"}}, 'invalid personality domain "BSD"'),
        ({}, {"personality": {"domain": "LINUX", "flags": ["X"]}}, "personality flag X is not supported"),
        ({}, {"memoryPolicy": {"mode": "MPOL_X"}}, 'invalid memoryPolicy mode "MPOL_X"'),
        ({}, {"memoryPolicy": {"mode": "MPOL_LOCAL", "nodes": "0"}}, "takes no nodes"),
        ({}, {"memoryPolicy": {"mode": "MPOL_BIND"}}, "needs nodes"),
        ({"execCPUAffinity": {"initial": "0", "final": "x"}}, {}, "x"),
    ],
)
def test_what_cannot_be_meant_is_refused(process: Any, linux: Any, message: str) -> None:
    with pytest.raises(StartFailed, match=message):
        tuning.plan(process, linux)
