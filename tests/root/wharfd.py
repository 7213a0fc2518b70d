"""The real wharfd as a process, and the commands that talk to it: what a user has, for tests to drive."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from tests.root.world import World, observe, shims

from wharf.storage.layout import DataRoot, run_root_of

TOP = Path(__file__).parents[2]
WHARFD = (sys.executable, str(TOP / "scripts/wharfd"))
T = TypeVar("T")


def until(look: Callable[[], T], *, timeout_s: float = 60) -> T:
    """Return what ``look`` returns once it is true; for what nothing announces."""
    end = time.monotonic() + timeout_s
    while not (seen := look()):
        assert time.monotonic() < end, f"not within {timeout_s} s: {look}"
        time.sleep(0.01)
    return seen


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("wharf", timeout=60)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


class Wharfd:
    """One data root and socket, and the daemon that serves them: started, ended and killed at will."""

    def __init__(self, folder: Path, stocked: Path | None = None) -> None:
        self.root = folder / "root"
        self.socket = folder / "wharf.sock"
        self.log = folder / "wharfd.log"
        if stocked is not None:
            subprocess.run(["cp", "-a", stocked, self.root], check=True)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> DataRoot:
        return DataRoot(self.root)

    def start(self, *more: str, pass_fds: Iterable[int] = (), by: Sequence[str] = ()) -> None:
        """Start the daemon, with more flags and by another program if given, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*by, *self.command(*more)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=tuple(pass_fds),
            )
        until(self._answers)

    def command(self, *more: str) -> list[str]:
        return [*WHARFD, "--data-root", str(self.root), "-H", f"unix://{self.socket}", *more]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the daemon and return its exit code."""
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        return process.wait(timeout=60)

    def get(self, path: str, method: str = "GET", document: object = None, *, at: Path | None = None) -> Any:
        """Ask the API, with a JSON body if one is given; the answer must be a success."""
        content = self._ask(path, method, document, at or self.socket)
        return json.loads(content) if content and content != b"OK" else None

    def post(self, path: str, document: object) -> Any:
        return self.get(path, "POST", document)

    def lines(self, path: str) -> list[Any]:
        """Ask the API for a stream of documents that ends."""
        return [
            json.loads(line) for line in self._ask(quote(path, safe="/?&="), "GET", None, self.socket).splitlines()
        ]

    def _ask(self, path: str, method: str, document: object, at: Path) -> bytes:
        connection = _Connection(at)
        try:
            body = None if document is None else json.dumps(document)
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, (path, answer.status, content)
        return content

    def shim(self, container_id: str) -> Path:
        """Return the folder of a container's shim."""
        return run_root_of(self.root).shim(container_id)

    def shims(self) -> list[int]:
        """Return the process ids of the shims."""
        return shims(run_root_of(self.root))

    def clear(self) -> None:
        """Remove all containers, with their anonymous volumes, and all networks."""
        for container in self.get("/containers/json?all=1"):
            self.get(f"/containers/{container['Id']}?force=1&v=1", "DELETE")
        self.get("/networks/prune", "POST")

    def world(self) -> World:
        return observe(self.data, run_root_of(self.root))

    def world_of_containers(self) -> World:
        """What there is for containers, without what an engine keeps for itself while it runs."""
        world = self.world()
        return replace(
            world,
            cgroups=frozenset(name for name in world.cgroups if "/" in name),
            links=frozenset(name for name in world.links if name.startswith("veth")),
        )

    def forget(self) -> None:
        """End the daemon, if it runs, and take away its run root."""
        if self.process is not None:
            self.end()
        shutil.rmtree(run_root_of(self.root).path, ignore_errors=True)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            self.get("/_ping")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Cli:
    """A command line on one daemon: the unmodified docker's, or ours."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]

    def __call__(self, *words: str, stdin: bytes | None = None, timeout_s: float = 60) -> Done:
        """Run a command to its end, with ``stdin`` piped in or none."""
        done = subprocess.run(
            [*self.command, *words],
            input=b"" if stdin is None else stdin,
            capture_output=True,
            env=self.environment,
            timeout=timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def ok(self, *words: str, stdin: bytes | None = None) -> str:
        """Run a command that must succeed; return its output without the last line's end."""
        done = self(*words, stdin=stdin)
        assert (done.code, done.err) == (0, ""), (words, done)
        return done.out.removesuffix("\n")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command whose input, output and errors are pipes."""
        return subprocess.Popen(
            [*self.command, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )


def cli(name: str, daemon: Wharfd) -> Cli:
    """Return the command line of this name, on ``daemon``."""
    command = ("docker",) if name == "docker" else (sys.executable, str(TOP / "scripts/wharf"))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",  # no configuration but the defaults
        "DOCKER_HOST": f"unix://{daemon.socket}",
    }
    return Cli(name, command, environment)
