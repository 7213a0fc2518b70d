"""The small root of a process that waits, looked at from inside, in a child of this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from tests.root.inside import in_a_child

from wharf.kernel import namespace
from wharf.kernel.namespace import FLAG_OF
from wharf.runtime import init
from wharf.runtime.invocation import Invocation
from wharf.runtime.prepared import Prepared

pytestmark = pytest.mark.root


def _plan(**changes: Any) -> init.InitPlan:
    spec: Any = {
        "ociVersion": "1.2.0",
        "root": {"path": "/"},
        "process": {"args": ["true"], "cwd": "/"},
        "mounts": [
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
            {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]},
            {"destination": "/data", "type": "bind", "source": "/", "options": ["bind"]},
        ],
        "linux": {
            "namespaces": [{"type": "mount"}, {"type": "network"}, {"type": "ipc"}],
            "maskedPaths": ["/sys/firmware"],
            **changes,
        },
    }
    return init.plan(spec, "/", [], (b"", 0), Invocation())


def _inside(look: Callable[[Prepared, init.InitPlan], object], plan: init.InitPlan) -> str:
    usual = _plan()  # before: it looks into the host's /proc

    def body() -> object:
        namespace.unshare(FLAG_OF["mount"] | FLAG_OF["network"] | FLAG_OF["ipc"])
        return look(Prepared(usual), plan)

    return in_a_child(body)


def test_its_root_has_nothing_of_the_hosts_but_the_null_device() -> None:
    seen = _inside(lambda _prepared, _plan: (sorted(os.listdir("/")), os.listdir("/dev")), _plan())

    assert seen == repr((["dev", "proc", "root", "sys"], ["null"]))


def test_what_does_not_depend_on_the_container_stands_ready() -> None:
    assert _inside(lambda p, plan: sorted(p.for_plan(plan, [])), _plan()) == repr(["/dev", "/dev/mqueue", "/sys"])


def test_what_belongs_to_another_namespace_is_not_used() -> None:
    assert _inside(lambda p, plan: sorted(p.for_plan(plan, ["network", "ipc"])), _plan()) == repr(["/dev"])


def test_a_tree_that_is_masked_otherwise_is_not_used() -> None:
    assert _inside(lambda p, plan: "/sys" in p.for_plan(plan, []), _plan(maskedPaths=[])) == "False"


def test_more_devices_want_another_dev() -> None:
    more = [{"path": "/dev/more", "type": "c", "major": 1, "minor": 3}]

    assert _inside(lambda p, plan: "/dev" in p.for_plan(plan, []), _plan(devices=more)) == "False"


def test_what_is_done_is_taken_out_of_the_plan() -> None:
    def done(prepared: Prepared, plan: init.InitPlan) -> object:
        prepared.for_plan(plan, [])
        return plan.masked, plan.nodes

    assert _inside(done, _plan()) == repr(([], []))
