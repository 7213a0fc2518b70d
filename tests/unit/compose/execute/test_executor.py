from __future__ import annotations

import threading

import pytest

from wharf.compose.execute.executor import execute
from wharf.compose.plan.operations import Operation, Plan
from wharf.errors import Conflict


def chain() -> Plan:
    plan = Plan()
    first = plan.add("CreateNetwork", "network:n", "")
    second = plan.add("CreateVolume", "volume:v", "")
    plan.add("CreateContainer", "service:a:1", "", [first, second])
    return plan


def test_operations_come_after_what_they_need() -> None:
    done: list[int] = []
    told: list[tuple[int, str]] = []
    execute(chain(), lambda one: done.append(one.number), lambda one, state: told.append((one.number, state)))

    assert (sorted(done[:2]), done[2]) == ([1, 2], 3)
    assert told.index((3, "start")) > max(told.index((1, "done")), told.index((2, "done")))


def test_those_that_need_nothing_of_each_other_run_at_once() -> None:
    both = threading.Barrier(2, timeout=60)

    def step(operation: Operation) -> None:
        if operation.number < 3:
            both.wait()

    execute(chain(), step, lambda _one, _state: None)


def test_failure_ends_what_has_begun_and_begins_nothing_more() -> None:
    done: list[int] = []
    told: list[tuple[int, str]] = []

    def step(operation: Operation) -> None:
        if operation.number == 1:
            raise Conflict("no")
        done.append(operation.number)

    with pytest.raises(Conflict, match="no"):
        execute(chain(), step, lambda one, state: told.append((one.number, state)), workers=1)

    assert 3 not in done
    assert (1, "failed") in told


def test_nothing_to_do_is_done() -> None:
    execute(Plan(), lambda _one: None, lambda _one, _state: None)
