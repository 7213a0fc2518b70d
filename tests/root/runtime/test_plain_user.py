"""The command line for a plain user, without any engine: a bundle with a user namespace of its own."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.root.rootless.conftest import plain_user, uplink
from tests.root.rootless.plain_user import PlainUser

__all__ = ["plain_user", "uplink"]

pytestmark = pytest.mark.slow
Make = Callable[..., PlainUser]


def _bundle(user: PlainUser, **linux: Any) -> Path:
    """Make the bundle that ``spec --rootless`` describes, of busybox."""
    bundle = user.home / "h/bundle"
    (bundle / "rootfs/bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", bundle / "rootfs/bin/sh")
    shutil.copy("/bin/busybox", bundle / "rootfs/bin/busybox")
    for path in (bundle, *bundle.rglob("*")):
        shutil.chown(path, user.uid, user.uid)
    _runtime(user, "spec", "--rootless", "--bundle", str(bundle))
    spec = json.loads((bundle / "config.json").read_text())
    spec["process"] |= {"terminal": False, "args": ["sh", "-c", "id; cat /proc/self/uid_map"]}
    spec["linux"] |= linux
    (bundle / "config.json").write_text(json.dumps(spec))
    return bundle


def _runtime(user: PlainUser, *words: str, code: int = 0) -> str:
    return user.run(str(Path(sys.executable).parent / "wharf-runtime"), *words, code=code)


def test_a_user_runs_a_container_with_one_id(plain_user: Make) -> None:
    user = plain_user(subordinate=False)

    out = _runtime(user, "run", "--bundle", str(_bundle(user)), "c")

    assert out.split()[:2] == ["uid=0", "gid=0"]
    assert out.split()[-3:] == ["0", str(user.uid), "1"]


def test_a_user_has_the_subordinate_ids_that_are_asked_for(plain_user: Make) -> None:
    user = plain_user()
    rows = [
        {"containerID": 0, "hostID": user.uid, "size": 1},
        {"containerID": 1, "hostID": user.first_subordinate, "size": 1000},
    ]

    out = _runtime(user, "run", "--bundle", str(_bundle(user, uidMappings=rows, gidMappings=rows)), "c")

    assert out.split()[-3:] == ["1", str(user.first_subordinate), "1000"]


def test_ids_of_others_are_not_to_be_had(plain_user: Make) -> None:
    user = plain_user()
    rows = [{"containerID": 0, "hostID": 0, "size": 10}]

    refused = _runtime(user, "run", "--bundle", str(_bundle(user, uidMappings=rows, gidMappings=rows)), "c", code=1)

    assert "unable to start container process: writing id maps: operation not permitted" in refused


def test_limits_without_a_group_of_ones_own_are_refused(plain_user: Make) -> None:
    user = plain_user()

    refused = _runtime(user, "run", "--bundle", str(_bundle(user, resources={"pids": {"limit": 5}})), "c", code=1)

    assert "limits (pids) need a control group of your own" in refused


@pytest.mark.parametrize("subordinate", [True, False])
def test_more_processes_start_in_a_users_container(plain_user: Make, subordinate: bool) -> None:
    user = plain_user(subordinate=subordinate)
    bundle = _bundle(user)
    spec = json.loads((bundle / "config.json").read_text())
    spec["process"]["args"] = ["busybox", "sleep", "1000"]
    (bundle / "config.json").write_text(json.dumps(spec))

    user.run("sh", "-c", f"wharf-runtime run --detach --bundle {bundle} c >/dev/null 2>&1 </dev/null")

    assert _runtime(user, "exec", "c", "sh", "-c", "echo $$ > /dev/null; id -u") == "0\n"
    assert '"running"' in _runtime(user, "state", "c")
    _runtime(user, "delete", "--force", "c")
    assert _runtime(user, "list", "-q") == ""
