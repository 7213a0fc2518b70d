"""One daemon a module, a project's folder a test, and `wharf compose` in it; nothing stays after a test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from tests.root.wharfd import Cli, Done, Wharfd, cli, until
from tests.root.world import EMPTY

from wharf.client.client import Client
from wharf.compose.execute.engine import Engine


@dataclass(frozen=True, slots=True)
class Compose:
    """A project's folder, and the command line in it."""

    folder: Path
    cli: Cli
    daemon: Wharfd

    def write(self, text: str, name: str = "compose.yaml") -> None:
        (self.folder / name).write_text(dedent(text))

    def __call__(self, *words: str, timeout_s: float = 60) -> Done:
        done = subprocess.run(
            [*self.cli.command, "compose", *words], cwd=self.folder, env=self.cli.environment, capture_output=True,
            stdin=subprocess.DEVNULL, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command; its output comes by pipes."""
        return subprocess.Popen(
            [*self.cli.command, "compose", *words], cwd=self.folder, env=self.cli.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def done(self, *words: str, timeout_s: float = 60) -> str:
        """Run a command that must succeed, and return its output."""
        found = self(*words, timeout_s=timeout_s)
        assert found.code == 0, found
        return found.out

    def states(self) -> dict[str, str]:
        """Return name → state of the project's containers."""
        return {
            container["Names"][0].lstrip("/"): container["State"]
            for container in self.daemon.get("/containers/json?all=1")
        }


@pytest.fixture(scope="module")
def daemon(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wharfd]:
    daemon = Wharfd(tmp_path_factory.mktemp("compose"), stocked)
    try:
        daemon.start()
        yield daemon
        daemon.end()
        assert daemon.world() == EMPTY
    finally:
        daemon.forget()


@pytest.fixture
def compose(daemon: Wharfd, tmp_path: Path) -> Iterator[Compose]:
    """The command line in an empty folder, which makes the project's name ``app``."""
    folder = tmp_path / "app"
    folder.mkdir()
    line = cli("wharf", daemon)
    line.environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    yield Compose(folder, line, daemon)
    daemon.clear()
    daemon.get("/volumes/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D", "POST")
    until(lambda: daemon.world_of_containers() == EMPTY)  # what is removed is taken apart in the background


@pytest.fixture
def engine(daemon: Wharfd) -> Iterator[Engine]:
    with Engine(lambda: Client(f"unix://{daemon.socket}")) as engine:
        yield engine
