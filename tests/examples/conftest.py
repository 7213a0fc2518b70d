"""The examples, run as a user runs them: by our command, and by docker compose where its plugin is installed.

They are not among the root tests, which have a network of their own: Debian's packages come from outside.
"""

from __future__ import annotations

import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.root.wharfd import TOP, Cli, Done, Wharfd, cli
from tests.root.world import EMPTY

_PLUGIN_FOLDERS = (
    "/usr/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
)
_BUILD_S = 300


def plugin() -> Path | None:
    """Return docker compose's plugin: ``DOCKER_COMPOSE`` names it, else it is where packages put it."""
    named = os.environ.get("DOCKER_COMPOSE")
    places = [Path(named)] if named else [Path(folder) / "docker-compose" for folder in _PLUGIN_FOLDERS]
    return next((place for place in places if place.exists()), None)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wharfd]:
    daemon = Wharfd(tmp_path_factory.mktemp("examples"))
    try:
        daemon.start()
        made = cli("wharf", daemon)("image", "bootstrap", "debian:bookworm", timeout_s=_BUILD_S)
        assert made.code == 0, made
        yield daemon
        daemon.end()
        assert daemon.world() == EMPTY
    finally:
        daemon.forget()


@dataclass(frozen=True, slots=True)
class Project:
    """One example and the command that runs it."""

    folder: Path
    command: Cli

    def __call__(self, *words: str, timeout_s: float = 60) -> Done:
        file = str(self.folder / "compose.yaml")
        return self.command("compose", "--file", file, *words, timeout_s=timeout_s)

    def ok(self, *words: str, timeout_s: float = 60) -> str:
        """Run a command that must succeed; return its output."""
        done = self(*words, timeout_s=timeout_s)
        assert done.code == 0, (words, done)
        return done.out

    def up(self, *words: str) -> None:
        """Build and start all, and wait until it is healthy."""
        self.ok("up", "--detach", "--build", "--wait", *words, timeout_s=_BUILD_S)

    def address(self, service: str, port: int) -> str:
        """Return where a port of a service is published."""
        return f"http://{self.ok('port', service, str(port)).strip()}"


@pytest.fixture(params=["wharf", "docker"])
def example(request: pytest.FixtureRequest, daemon: Wharfd, tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """``example(name)``: an example that is not up; what it leaves is taken down."""
    command = cli(request.param, daemon)
    environment = {**command.environment, "PORT": "0", "DOCKER_BUILDKIT": "0", "COMPOSE_BAKE": "false"}
    if request.param == "docker":
        found = plugin()
        if found is None:
            pytest.skip("docker compose is not installed: DOCKER_COMPOSE=$(scripts/docker-compose) names one")
        (tmp_path / "cli-plugins").mkdir()
        (tmp_path / "cli-plugins/docker-compose").symlink_to(found)
        environment["DOCKER_CONFIG"] = str(tmp_path)
    used: list[Project] = []

    def project(name: str) -> Project:
        folder = tmp_path / name
        shutil.copytree(TOP / "examples" / name, folder)
        used.append(Project(folder, replace(command, environment=environment)))
        return used[-1]

    yield project
    for one in used:
        one.ok("down", "--volumes", "--timeout", "2")
    assert daemon.world_of_containers() == EMPTY


def fetch(address: str, data: str | None = None) -> tuple[str, str]:
    """Return an address' content and the server that X-Server names; a refusal is tried again for a while."""
    end = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address, data and data.encode(), timeout=10) as answer:
                return answer.read().decode(), answer.headers.get("X-Server", "")
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
