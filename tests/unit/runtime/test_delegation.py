from __future__ import annotations

from typing import Any

import pytest

from wharf.runtime.delegation import owner

_CGROUP: Any = {"type": "cgroup", "source": "cgroup", "destination": "/sys/fs/cgroup"}
_MAPPED: Any = {"uidMappings": [{"containerID": 0, "hostID": 7000, "size": 10}]}


def _spec(*namespaces: str, mounts: Any = (_CGROUP,), uid: int = 0, **linux: Any) -> Any:
    kinds = [dict(zip(("type", "path"), kind.split("@"), strict=False)) for kind in namespaces]
    return {"mounts": list(mounts), "process": {"user": {"uid": uid}}, "linux": {"namespaces": kinds, **linux}}


@pytest.mark.parametrize(
    ("spec", "uid"),
    [
        pytest.param(_spec("cgroup", uid=5), 5, id="the user"),
        pytest.param(_spec("cgroup"), 0, id="root"),
        pytest.param(_spec("cgroup", "user", uid=3, **_MAPPED), 7003, id="a mapped user"),
        pytest.param(_spec("cgroup", "user", uid=10, **_MAPPED), None, id="a user who is not mapped"),
        pytest.param(_spec("cgroup", "user@/proc/1/ns/user", uid=3), None, id="in a user namespace of others"),
        pytest.param(_spec("mount", uid=5), None, id="in the host's cgroup namespace"),
        pytest.param(_spec("cgroup@/proc/1/ns/cgroup", uid=5), None, id="in a cgroup namespace of others"),
        pytest.param(_spec("cgroup", uid=5, mounts=()), None, id="groups are not mounted"),
        pytest.param(_spec("cgroup", uid=5, mounts=[{**_CGROUP, "options": ["nosuid", "ro"]}]), None, id="read-only"),
        pytest.param(_spec("cgroup", uid=5, mounts=[{**_CGROUP, "destination": "/cgroups"}]), None, id="elsewhere"),
    ],
)
def test_a_group_is_its_users_where_it_is_writable_and_seen_as_its_own(spec: Any, uid: int | None) -> None:
    assert owner(spec) == uid
