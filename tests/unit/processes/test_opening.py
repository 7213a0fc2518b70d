from __future__ import annotations

from typing import Any

import pytest

from wharf.kernel.cgroup.group import Cgroup
from wharf.kernel.cgroup.hierarchy import Hierarchies
from wharf.processes.opening import suits

_V1 = {name: f"/cg/{name}" for name in ("cpu", "devices", "freezer", "memory", "pids")}
_ON_V1 = Cgroup("/wharf/x", Hierarchies(_V1, None, frozenset()))
_ON_V2 = Cgroup("/wharf/x", Hierarchies({}, "/cg", frozenset({"cpu", "memory", "pids"})))
_OVERLAY: Any = [{"type": "overlay", "source": "overlay", "options": []}]
_FILTER: Any = {"defaultAction": "SCMP_ACT_ERRNO"}


def _spec(**linux: Any) -> Any:
    spaces = [{"type": kind} for kind in ("mount", "pid", "ipc", "uts", "network")]
    return {"mounts": [], "linux": {"namespaces": spaces, "rootfsPropagation": "rprivate", **linux}}


def _with_bind(**fields: Any) -> Any:
    bind = {"destination": "/d", "type": "bind", "source": "/s", "options": ["rbind", "rprivate"], **fields}
    return {**_spec(), "mounts": [bind]}


@pytest.mark.parametrize(
    "spec",
    [
        _spec(),
        _spec(seccomp=_FILTER),
        _spec(resources={"memory": {"limit": 1 << 30}, "pids": {"limit": 10}}),
        _spec(namespaces=[{"type": "mount"}, {"type": "pid"}]),
        _spec(namespaces=[{"type": "mount"}, {"type": "pid"}, {"type": "network", "path": "/run/netns/a"}]),
        _with_bind(),
        {**_spec(), "mounts": [{"destination": "/d", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m"]}]},
    ],
)
def test_a_process_born_before_suits_a_container_of_usual_namespaces(spec: Any) -> None:
    assert suits(spec, _OVERLAY, _FILTER, _ON_V1)


@pytest.mark.parametrize(
    "spec",
    [
        _spec(seccomp={"defaultAction": "SCMP_ACT_ALLOW"}),
        _spec(rootfsPropagation="rshared"),
        _spec(namespaces=[{"type": "mount"}]),
        _spec(namespaces=[{"type": "mount"}, {"type": "pid", "path": "/proc/1/ns/pid"}]),
        _spec(namespaces=[{"type": "mount"}, {"type": "pid"}, {"type": "cgroup"}]),
        _spec(namespaces=[{"type": "mount"}, {"type": "pid"}, {"type": "user"}]),
        _spec(namespaces=[{"type": "mount"}, {"type": "pid"}, {"type": "pid"}]),
        _spec(resources={"unified": {"memory.high": "1"}}),
        _spec(resources={"hugepageLimits": [{"pageSize": "2MB", "limit": 1}]}),
        {**_spec(), "hooks": {"poststart": [{"path": "/bin/true"}]}},
        _with_bind(options=["rbind", "rshared"]),
        _with_bind(options=["rbind", "wharf.part=a"]),
        _with_bind(options=["bind", "wharf.mounts_of=12"]),
        _with_bind(uidMappings=[{"containerID": 0, "hostID": 1, "size": 1}]),
        {**_spec(), "mounts": _with_bind()["mounts"] * 201},
        {**_spec(), "mounts": [{"destination": "/d", "type": "overlay", "options": ["lowerdir=/a:/b"]}]},
    ],
)
def test_it_does_not_suit_a_container_that_wants_what_is_decided_at_birth(spec: Any) -> None:
    assert not suits(spec, _OVERLAY, _FILTER, _ON_V1)


def test_it_does_not_suit_where_entering_a_control_group_is_dear() -> None:
    assert not suits(_spec(), _OVERLAY, _FILTER, _ON_V2)


def test_it_does_not_suit_a_root_that_is_no_overlay() -> None:
    assert not suits(_spec(), [{"type": "bind", "source": "/r", "options": ["bind"]}], _FILTER, _ON_V1)
