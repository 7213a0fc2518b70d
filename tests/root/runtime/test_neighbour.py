"""A container with another container's mount: found inside that one's root, wherever its symlinks point."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle, reap

from wharf.runtime.errors import StartFailed

pytestmark = pytest.mark.root

_SHARED = {"destination": "/shared", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}
_DONOR = "echo theirs > /shared/said; ln -s /../../../shared /way; echo; exec sleep 1000"


@pytest.fixture
def donor(bundle: Bundle) -> Iterator[int]:
    reader, writer = os.pipe()
    spec = bundle.spec(["sh", "-c", _DONOR])
    spec["mounts"].append(_SHARED)
    started = bundle.create(spec, (0, writer, 2))
    started.start()
    assert os.read(reader, 1) == b"\n"
    os.close(reader)
    os.close(writer)
    yield started.pid
    os.kill(started.pid, 9)
    reap(started)


def _joining(bundle: Bundle, pid: int, source: str, script: str) -> Any:
    spec = bundle.spec(["sh", "-c", script])
    spec["root"]["path"] = "lower"
    mount = {"destination": "/theirs", "type": "bind", "source": source, "options": [f"wharf.mounts_of={pid}"]}
    spec["mounts"].append(mount)
    return spec


def test_what_one_writes_the_other_reads(bundle: Bundle, donor: int) -> None:
    script = "cat /theirs/said; echo mine > /theirs/answer; grep -c ' /theirs .*nosuid' /proc/mounts"

    ran = bundle.run(_joining(bundle, donor, "/shared", script), rootfs=[])

    with open(f"/proc/{donor}/root/shared/answer", encoding="utf-8") as file:
        assert (ran.code, ran.output, file.read()) == (0, "theirs\n1\n", "mine\n")


def test_a_symlink_of_the_others_stays_in_its_root(bundle: Bundle, donor: int) -> None:
    assert bundle.run(_joining(bundle, donor, "/way", "cat /theirs/said"), rootfs=[]).output == "theirs\n"


def test_root_of_a_user_namespace_gets_it_from_its_parent(bundle: Bundle, donor: int) -> None:
    bundle.path.chmod(0o755)
    spec = _joining(bundle, donor, "/shared", "cat /theirs/said")
    spec["linux"]["namespaces"].append({"type": "user"})
    own = [{"containerID": 0, "hostID": 0, "size": 65536}]
    spec["linux"] |= {"uidMappings": own, "gidMappings": own}
    spec["mounts"] = [one for one in spec["mounts"] if one["destination"] != "/dev/pts"]
    (bundle.lower / "theirs").mkdir()

    assert bundle.run(spec, rootfs=[]).output == "theirs\n"


@pytest.mark.parametrize(("source", "says"), [("/missing", "/missing"), ("/proc/1/root", "symbolic links")])
def test_what_is_not_there_is_said(bundle: Bundle, donor: int, source: str, says: str) -> None:
    with pytest.raises(StartFailed, match=says):
        bundle.run(_joining(bundle, donor, source, "true"), rootfs=[])


def test_a_process_that_has_ended_is_said(bundle: Bundle) -> None:
    with pytest.raises(StartFailed, match="no such process"):
        bundle.run(_joining(bundle, 4194303, "/shared", "true"), rootfs=[])
