"""The kernel takes what it is told, in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from wharf.kernel import tuning

pytestmark = pytest.mark.root


def in_child(body: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            code = 0 if body() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_scheduler_is_set() -> None:
    def body() -> bool:
        tuning.set_scheduler(tuning.POLICIES["SCHED_BATCH"], 0, 5)
        return os.sched_getscheduler(0) == os.SCHED_BATCH and os.nice(0) == 5

    assert in_child(body) == 0


def test_the_execution_domain_is_set() -> None:
    def body() -> bool:
        tuning.set_domain(tuning.DOMAINS["LINUX32"])
        return os.uname().machine in ("i686", "armv8l")

    assert in_child(body) == 0


def test_a_memory_policy_needs_nodes_that_are_there() -> None:
    def body() -> bool:
        tuning.set_memory_policy(tuning.MEMORY_MODES["MPOL_BIND"], {0})
        try:
            tuning.set_memory_policy(tuning.MEMORY_MODES["MPOL_BIND"], {63})
        except OSError:
            return True
        return False

    assert in_child(body) == 0


def test_an_io_priority_out_of_range_is_an_error() -> None:
    def body() -> bool:
        tuning.set_io_priority(tuning.IO_CLASSES["IOPRIO_CLASS_IDLE"], 0)
        try:
            tuning.set_io_priority(7, 0)
        except OSError:
            return True
        return False

    assert in_child(body) == 0
