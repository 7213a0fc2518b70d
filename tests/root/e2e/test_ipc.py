"""Containers that share System V IPC and /dev/shm: who may join whom, and what they see of each other."""

from __future__ import annotations

import pytest
from tests.root.wharfd import Cli, Done

pytestmark = pytest.mark.root

_SLEEP = ("busybox", "sleep", "1000")


def test_a_container_that_joins_anothers_ipc_sees_its_shared_memory_and_its_queues(run: Cli) -> None:
    donor = run("run", "-d", "--ipc", "shareable", "--name", "donor", *_SLEEP).out.strip()
    run("exec", "donor", "sh", "-c", "echo theirs > /dev/shm/said")
    look = "cat /dev/shm/said; echo mine > /dev/shm/answer; readlink /proc/self/ns/ipc; grep -c /dev/shm /proc/mounts"

    joined = run("run", "--rm", "--ipc", "container:donor", "--network", "none", "busybox", "sh", "-c", look)

    seen = run("exec", "donor", "sh", "-c", "cat /dev/shm/said; cat /dev/shm/answer; readlink /proc/self/ns/ipc")
    said, answer, space = seen.out.splitlines()
    assert (joined.code, joined.out.splitlines(), answer) == (0, [said, space, "1"], "mine"), joined
    run("create", "--name", "joins", "--ipc", "container:donor", *_SLEEP)
    assert run("inspect", "joins", "--format", "{{.HostConfig.IpcMode}}").out == f"container:{donor}\n"


def test_who_has_joined_can_be_joined(run: Cli) -> None:
    run("run", "-d", "--ipc", "shareable", "--name", "donor", *_SLEEP)
    run("run", "-d", "--ipc", "container:donor", "--name", "between", *_SLEEP)
    run("exec", "donor", "touch", "/dev/shm/seen")

    assert run("run", "--rm", "--ipc", "container:between", "busybox", "ls", "/dev/shm") == Done(0, "seen\n", "")


@pytest.mark.parametrize("mode", ["none", ""])
def test_ipc_that_is_not_shareable_cannot_be_joined(run: Cli, mode: str) -> None:
    donor = run("run", "-d", *(("--ipc", mode) if mode else ()), "--name", "donor", *_SLEEP).out.strip()

    done = run("run", "--rm", "--ipc", "container:donor", "busybox", "true")

    hint = "non-shareable IPC (hint: use IpcMode:shareable for the donor"
    says = f"failed to join IPC namespace: container {donor}: {hint}"
    assert (done.code, says in done.err) == (125, True), done


def test_ipc_of_a_container_that_does_not_run_cannot_be_joined(run: Cli) -> None:
    donor = run("create", "--ipc", "shareable", "--name", "donor", *_SLEEP).out.strip()

    done = run("run", "--rm", "--ipc", "container:donor", "busybox", "true")

    says = f"failed to join IPC namespace: container {donor} is not running"
    assert (done.code, says in done.err) == (125, True), done
    missing = run("run", "--rm", "--ipc", "container:nosuch", "busybox", "true")
    assert (missing.code, "No such container: nosuch" in missing.err) == (125, True), missing
