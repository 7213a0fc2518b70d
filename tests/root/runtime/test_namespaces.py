"""Namespaces that are inherited, and those that are joined by their path."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.root.mounts import changed, mounts
from tests.root.runtime.conftest import Bundle

from wharf.runtime import container
from wharf.runtime.errors import StartFailed

pytestmark = pytest.mark.root


@contextmanager
def holder(*flags: str) -> Iterator[int]:
    """A process in namespaces of its own."""
    done = subprocess.Popen(["unshare", *flags, "sh", "-c", "echo; exec sleep 100"], stdout=subprocess.PIPE)
    assert done.stdout is not None
    done.stdout.readline()
    try:
        yield done.pid
    finally:
        done.kill()
        done.wait()
        done.stdout.close()


def given(bundle: Bundle, args: list[str], **paths: str) -> Any:
    spec = bundle.spec(args)
    spec["root"]["path"] = "lower"
    spec["linux"]["namespaces"] = [
        {"type": n["type"], "path": paths[n["type"]]} if n["type"] in paths else n
        for n in spec["linux"]["namespaces"]
    ]
    return spec


def link(pid: int | str, name: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{name}")


def test_without_a_mount_namespace_its_mounts_are_seen_by_nobody(bundle: Bundle) -> None:
    spec = given(bundle, ["sh", "-c", "readlink /proc/self/ns/mnt; echo hi >/dev/null; ls /; exec cat /proc/mounts"])
    spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"] if n["type"] != "mount"]

    outcome = bundle.run(spec, rootfs=[])

    lines = outcome.output.splitlines()
    assert outcome.code == 0
    assert lines[0] == link("self", "mnt")
    assert "bin" in lines


def test_an_exec_in_it_sees_its_root_and_not_the_hosts(bundle: Bundle) -> None:
    spec = given(bundle, ["sleep", "100"])
    spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"] if n["type"] != "mount"]
    started = bundle.create(spec, rootfs=[])
    started.start()
    reader, writer = os.pipe()
    process = {**spec["process"], "args": ["ls", "/"]}
    one = container.execute(
        process, init_pid=started.pid, spec=spec, stdio=(0, writer, 2), cgroup=None, seccomp_cache=None
    )
    os.close(writer)
    with os.fdopen(reader) as file:
        assert file.read().split() == ["bin", "dev", "etc", "proc"]
    os.waitpid(one.pid, 0)
    os.close(one.pidfd)
    started.abort()


def test_a_mount_namespace_is_joined(bundle: Bundle) -> None:
    with holder("--mount") as pid:
        before = mounts(pid)
        outcome = bundle.run(given(bundle, ["readlink", "/proc/self/ns/mnt"], mount=f"/proc/{pid}/ns/mnt"), rootfs=[])

        assert outcome.output.strip() == link(pid, "mnt")
        assert changed(before, pid) == []


def test_a_cgroup_namespace_is_joined(bundle: Bundle) -> None:
    with holder("--cgroup") as pid:
        outcome = bundle.run(given(bundle, ["readlink", "/proc/self/ns/cgroup"], cgroup=f"/proc/{pid}/ns/cgroup"))

        assert outcome.output.strip() == link(pid, "cgroup")


@pytest.mark.parametrize("kind", ["network", "mount", "cgroup", "user"])
def test_a_path_that_is_no_namespace_of_its_type_is_an_error(bundle: Bundle, kind: str) -> None:
    spec = given(bundle, ["true"], **{kind: "/proc/self/ns/uts"})
    if kind == "user":
        spec["linux"]["namespaces"].append({"type": "user", "path": "/proc/self/ns/uts"})

    with pytest.raises(StartFailed, match=f"cannot join {kind} namespace /proc/self/ns/uts: invalid argument"):
        bundle.create(spec, rootfs=[])
