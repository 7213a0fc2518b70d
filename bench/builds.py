"""Builds: ten commands, known ones, stages side by side, and a large context."""

from __future__ import annotations

import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench import image
from bench.sides import Side
from bench.workloads import command_ms

_FILES, _BYTES = 20_000, 50_000
_LOOP = "i=0; while [ $i -lt 850000 ]; do i=$((i+1)); done"  # about a second of one processor


@dataclass
class Builds:
    """What is built, in folders below ``scratch``; each by the side's own client, the old builder's with dockerd."""

    scratch: Path
    buildx: Path | None  # the plugin, for contexts; without it they go by the old door

    def steps_cold(self, side: Side) -> float:
        """Return the milliseconds of ten commands that were never run before."""
        return _build(side, self._folder("steps", _ten(secrets.token_hex(8))))

    def steps_known(self, side: Side) -> float:
        """Return the milliseconds of ten commands that were run before."""
        folder = self._folder("known", _ten("known"))
        _build(side, folder)
        return _build(side, folder)

    def stages(self, side: Side, count: int) -> float:
        """Return the milliseconds of stages that do not need each other, each a second of one processor."""
        nonce = secrets.token_hex(8)
        lines = []
        for number in range(count):
            lines += [f"FROM {image.NAME} AS s{number}", f"RUN {_LOOP}; echo {nonce} > /{number}"]
        lines += [f"FROM {image.NAME}", *(f"COPY --from=s{number} /{number} /" for number in range(count))]
        return _build(side, self._folder("stages", lines))

    def stages_in_turn(self, side: Side, count: int) -> float:
        """Return the milliseconds of as much work in stages of which each begins with the one before."""
        nonce = secrets.token_hex(8)
        lines = []
        for number in range(count):
            begin = f"s{number - 1}" if number else image.NAME
            lines += [f"FROM {begin} AS s{number}", f"RUN {_LOOP}; echo {nonce} > /{number}"]
        return _build(side, self._folder("turns", lines))

    def context_sent(self, side: Side) -> float:
        """Return the milliseconds of sending 20,000 files, 1 GB, and hashing them: the command only mounts them.

        Raises:
            OSError: the side's builder has no mounts.
        """
        folder = self._context()
        if self.buildx is None or side.name != "wharf":
            raise OSError("the old builder has no mounts")
        command_ms([*side.clients[0], "builder", "prune", "-af"], side.environment)
        return self._buildx(side, folder, "--file", str(folder / "Dockerfile.mounts"))

    def context_lent(self, side: Side) -> float:
        """Return the milliseconds of the same by ``wharf build``, which lends an engine on its machine the files.

        Raises:
            OSError: the side has another client.
        """
        folder = self._context()
        if side.name != "wharf":
            raise OSError("it is lent nothing")
        command_ms([*side.clients[0], "builder", "prune", "-af"], side.environment)
        own = [*side.clients[1], "build", "--quiet", "--file", str(folder / "Dockerfile.mounts")]
        return command_ms([*own, str(folder)], side.environment)

    def context_new(self, side: Side) -> float:
        """Return the milliseconds of the same and of copying it into a layer."""
        folder = self._context()
        if self.buildx is not None and side.name == "wharf":
            command_ms([*side.clients[0], "builder", "prune", "-af"], side.environment)
            return self._buildx(side, folder)
        return _build(side, folder)

    def context_changed(self, side: Side) -> float:
        """Return the milliseconds of the same after one file has changed."""
        folder = self._context()
        once = self._buildx if self.buildx is not None and side.name == "wharf" else _build
        once(side, folder)
        (folder / "d0/changed").write_text(secrets.token_hex(8))
        return once(side, folder)

    def archive_ms(self) -> float:
        """Return the milliseconds of ``tar | sha256sum`` of the same files."""
        start = time.perf_counter()
        with subprocess.Popen(["tar", "-cf", "-", "-C", self._context(), "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(["sha256sum"], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True)
        return (time.perf_counter() - start) * 1e3

    def _buildx(self, side: Side, folder: Path, *options: str) -> float:
        plugins = Path(side.environment["DOCKER_CONFIG"]) / "cli-plugins"
        plugins.mkdir(exist_ok=True)
        if not (plugins / "docker-buildx").exists():
            (plugins / "docker-buildx").symlink_to(str(self.buildx))
        environment = {**side.environment, "BUILDX_GIT_INFO": "false"}
        return command_ms([*side.clients[0], "buildx", "build", "--quiet", *options, str(folder)], environment)

    def _folder(self, name: str, lines: list[str]) -> Path:
        folder = self.scratch / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
        return folder

    def _context(self) -> Path:
        folder = self.scratch / "context"
        if not folder.exists():
            self._folder("context", [f"FROM {image.NAME}", "COPY . /c"])
            mounts = f"FROM {image.NAME}\nRUN --network=none --mount=type=bind,target=/c true\n"
            (folder / "Dockerfile.mounts").write_text(mounts)
            block = secrets.token_bytes(2 * _BYTES)
            for number in range(_FILES):
                path = folder / f"d{number % 100}/f{number}"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(block[number % _BYTES :][:_BYTES])
        return folder


def _ten(word: str) -> list[str]:
    return [f"FROM {image.NAME}", *(f"RUN echo {word} {number} > /{number}" for number in range(10))]


def _build(side: Side, folder: Path) -> float:
    client = side.clients[1] if side.name == "podman" else side.clients[0]
    environment = {**side.environment, "DOCKER_BUILDKIT": "0"}
    layers = ["--layers"] if side.name == "podman" else []  # podman keeps no results unless it is told to
    return command_ms([*client, "build", *layers, "--quiet", "--network", "none", str(folder)], environment)
