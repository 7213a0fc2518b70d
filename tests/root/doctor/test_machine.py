from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.root.mounts import unchanged
from tests.root.rootless.conftest import plain_user, uplink
from tests.root.rootless.plain_user import PlainUser

from wharf.doctor import machine

__all__ = ["plain_user", "uplink"]


def test_looking_changes_nothing() -> None:
    before = [Path(f"/proc/self/{name}").read_text() for name in ("uid_map", "cgroup")]

    with unchanged():
        seen = machine.look()

    assert (seen.uid, seen.overlay, seen.idmapped_mounts, seen.nftables, seen.device_programs) == (0, "", "", "", "")
    assert [Path(f"/proc/self/{name}").read_text() for name in ("uid_map", "cgroup")] == before


def test_a_plain_user_is_told_what_is_theirs(plain_user: Callable[..., PlainUser]) -> None:
    user = plain_user()

    found = {one["what"]: one for one in json.loads(user.wharf("doctor", "--format", "json"))}

    assert found["subordinate ids"]["detail"] == "65536 user and 65536 group ids"
    assert found["overlay in user namespaces"]["verdict"] == "well"
    assert found["networks"]["detail"] == "pasta and slirp4netns"
    assert found["delegation"]["verdict"] == "lacks"


def test_the_command_refuses_other_forms() -> None:
    wharf = str(Path(sys.executable).parent / "wharf")

    done = subprocess.run([wharf, "doctor", "--format", "xml"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (2, "wharf doctor: it takes --format json or --format text\n")
