"""What the kernel says of a process that was tuned."""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle, reap

from wharf.runtime.container import execute

pytestmark = pytest.mark.root


def test_a_process_runs_as_it_was_tuned(bundle: Bundle) -> None:
    script = (
        "cat /proc/self/sched | grep policy; uname -m; ionice -p $$; grep default /proc/self/numa_maps | head -n 1"
    )
    spec = bundle.spec(
        ["sh", "-c", script],
        scheduler={"policy": "SCHED_BATCH", "nice": 3},
        ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6},
    )
    spec["linux"]["personality"] = {"domain": "LINUX32"}

    outcome = bundle.run(spec)

    lines = outcome.output.splitlines()
    assert lines[0].split() == ["policy", ":", "3"]
    assert lines[1:3] == ["i686", "best-effort: prio 6"]


def test_a_memory_policy_is_the_processs_own(bundle: Bundle) -> None:
    spec = bundle.spec(["sh", "-c", "grep -c bind:0 /proc/self/numa_maps; true"])
    spec["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0"}

    outcome = bundle.run(spec)

    if not os.path.exists("/proc/self/numa_maps"):
        assert (outcome.code, outcome.output) != (0, "0\n")
    else:
        assert int(outcome.output) > 0


def test_an_exec_has_the_cpus_it_asks_for(bundle: Bundle) -> None:
    running = bundle.create(bundle.spec(["sleep", "100"]))
    running.start()
    reader, writer = os.pipe()
    process: Any = {
        "args": ["grep", "Cpus_allowed_list", "/proc/self/status"],
        "cwd": "/",
        "env": ["PATH=/bin"],
        "execCPUAffinity": {"initial": "0", "final": "1"},
    }
    before = os.sched_getaffinity(0)

    started = execute(process, init_pid=running.pid, spec={}, stdio=(0, writer, 2), cgroup=None, seccomp_cache=None)

    os.close(writer)
    with os.fdopen(reader) as file:
        assert file.read().split() == ["Cpus_allowed_list:", "1"]
    assert reap(started) == 0
    assert os.sched_getaffinity(0) == before
    running.abort()
