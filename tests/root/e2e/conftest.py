"""One daemon for each module, and each test with docker's command line and with ours; nothing stays after a test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Wharfd, cli, until
from tests.root.world import EMPTY


@pytest.fixture(scope="module")
def daemon(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wharfd]:
    daemon = Wharfd(tmp_path_factory.mktemp("e2e"), stocked)
    try:
        daemon.start()
        yield daemon
        daemon.end()
        assert daemon.world() == EMPTY
    finally:
        daemon.forget()


@pytest.fixture(params=["docker", "wharf"])
def run(request: pytest.FixtureRequest, daemon: Wharfd) -> Iterator[Cli]:
    """The command line under test; what the test leaves is removed, and must be gone from the host then."""
    if request.param == "docker" and shutil.which("docker") is None and not os.environ.get("CI"):
        pytest.skip("there is no docker command: scripts/docker-cli prints the path of one to put on PATH")
    yield cli(request.param, daemon)
    daemon.clear()
    # The kernel takes namespaces apart in its own time, and a shim leaves once its mounts are gone.
    until(lambda: not (daemon.world_of_containers().links or daemon.world_of_containers().shims))
    until(lambda: not daemon.world_of_containers().processes)
    assert daemon.world_of_containers() == EMPTY
