"""User namespaces: one of its own, and one that is joined by its path."""

from __future__ import annotations

import errno
import os

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_namespaces import given, holder, link

from wharf.runtime import userns

pytestmark = pytest.mark.root

MAP = [{"containerID": 0, "hostID": 0, "size": 65536}]


def test_a_user_namespace_is_joined_and_owns_the_others(bundle: Bundle) -> None:
    with holder("--user", "--map-root-user") as pid:
        spec = given(bundle, ["sh", "-c", "readlink /proc/self/ns/user; id -u; hostname"])
        spec["linux"]["namespaces"].append({"type": "user", "path": f"/proc/{pid}/ns/user"})
        spec["mounts"] = [m for m in spec["mounts"] if m["destination"] != "/dev/pts"]

        outcome = bundle.run(spec, rootfs=[])

        assert outcome.output.split() == [link(pid, "user"), "0", "box"]


def test_a_user_namespace_of_its_own_still_works(bundle: Bundle) -> None:
    spec = given(bundle, ["id", "-u"])
    spec["linux"]["namespaces"].append({"type": "user"})
    spec["linux"] |= {"uidMappings": MAP, "gidMappings": MAP}
    spec["mounts"] = [m for m in spec["mounts"] if m["destination"] != "/dev/pts"]

    assert bundle.run(spec, rootfs=[]).output == "0\n"


def test_nothing_is_left_open_when_the_kernel_makes_no_more_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_flags: int) -> tuple[int, int]:
        raise OSError(errno.ENOSPC, "no more user namespaces")

    monkeypatch.setattr(userns, "clone3", refuse)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="no more user namespaces"):
        userns.make("0 100000 1\n", "0 100000 1\n")
    assert os.listdir("/proc/self/fd") == before
