"""User namespaces: one of its own, and one that is joined by its path."""

from __future__ import annotations

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_namespaces import given, holder, link

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
