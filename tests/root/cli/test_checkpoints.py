"""docker checkpoint and wharf checkpoint, on a daemon that calls itself experimental, where CRIU works."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Wharfd, until

from wharf.kernel.process import run as run_program

_WORKS = shutil.which("criu") is not None and run_program(["criu", "check"]).code == 0
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not _WORKS, reason="criu is not installed, or does not work on this kernel"),
]

_COUNT = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done"


@pytest.fixture(scope="module")
def daemon(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wharfd]:
    daemon = Wharfd(tmp_path_factory.mktemp("experimental"), stocked)
    try:
        daemon.start("--experimental")
        yield daemon
        daemon.end()
    finally:
        daemon.forget()


def test_a_container_is_saved_listed_brought_back_and_forgotten(run: Cli) -> None:
    run.ok("run", "-d", "--name", "box", "--network", "none", "busybox", "sh", "-c", _COUNT)
    until(lambda: len(run.ok("logs", "box").split()) > 3)

    assert run.ok("checkpoint", "create", "box", "c1").strip() == "c1"
    assert run.ok("inspect", "-f", "{{.State.Status}}", "box").strip() == "exited"
    assert run.ok("checkpoint", "ls", "box").split() == ["CHECKPOINT", "NAME", "c1"]
    saved = int(run.ok("logs", "box").split()[-1])

    run.ok("start", "--checkpoint", "c1", "box")
    until(lambda: int(run.ok("logs", "box").split()[-1]) > saved)
    assert run.ok("logs", "box").split()[:2] == ["1", "2"]
    assert run.ok("logs", "box").split().count("1") == 1  # it did not begin anew

    run.ok("checkpoint", "rm", "box", "c1")
    assert run.ok("checkpoint", "ls", "box").split() == ["CHECKPOINT", "NAME"]
