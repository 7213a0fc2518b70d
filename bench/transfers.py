"""``python -m bench.transfers``: an image of 280 MB to and from one registry on loopback, beside dockerd and podman.

All in one network namespace, each side on a root of its own, in turns: first the one, then the other. Cold means that
the side has nothing of the image; warm, that it has it all and asks again. A fresh push is to a registry that has
nothing. What a side does after it has answered (unpacking later, writing back) is its own affair: nobody syncs.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import memory, report
from bench.raw_http import UnexpectedAnswer
from bench.rows import Row, Samples, markdown

LAYERS, FILES = 5, 3000
_LOCAL: Final = "bench.local/big:1"
_IMAGES: Final = 1000
_START_S: Final = 60.0
_ISOLATED: Final = "WHARF_BENCH_ISOLATED"


@dataclass(slots=True)
class Side:
    """An engine: its client's command line, and the process that works for it (None: the client itself)."""

    name: str
    client: list[str]
    environment: dict[str, str]
    daemon: subprocess.Popen[bytes] | None = None
    plain_http: list[str] = field(default_factory=list)
    peak_mb: float = 0.0

    def run(self, *arguments: str) -> float:
        """Return the milliseconds of a command; note the most memory that the side had meanwhile."""
        command = [*self.client, *arguments]
        start = time.perf_counter()
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.environment
        ) as running:
            while True:
                try:
                    running.wait(0.05)
                    break
                except subprocess.TimeoutExpired:
                    self._look(running.pid)
            elapsed = time.perf_counter() - start
            if running.returncode:
                said = running.stderr.read() if running.stderr else b""
                raise UnexpectedAnswer(f"{' '.join(command)}: {said.decode(errors='replace')[-400:]}")
        return elapsed * 1e3

    def _look(self, client: int) -> None:
        try:
            used = memory.proportional_mb(memory.tree(self.daemon.pid if self.daemon else client))
            self.peak_mb = max(self.peak_mb, used)
        except (OSError, ValueError):
            return  # a process of it has ended meanwhile


def archive(path: Path) -> None:
    """Write the image as an archive of docker save: 5 layers of 3,000 files of text and noise, sizes as Pareto's."""
    chance = random.Random(1)
    words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=chance.randrange(2, 10))) for _ in range(5000)]
    stuff = b" ".join(chance.choices(words, k=700_000)) + chance.randbytes(2_000_000)
    layers = [_layer(number, chance, stuff) for number in range(LAYERS)]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(one).hexdigest()}" for one in layers]},
        "history": [{"created_by": "bench"}] * LAYERS,
    }
    names = [f"{number}.tar" for number in range(LAYERS)]
    manifest = [{"Config": "config.json", "RepoTags": [_LOCAL], "Layers": names}]
    with tarfile.open(path, "w") as out:
        _add(out, "config.json", json.dumps(config).encode())
        for name, layer in zip(names, layers, strict=True):
            _add(out, name, layer)
        _add(out, "manifest.json", json.dumps(manifest).encode())


def _layer(number: int, chance: random.Random, stuff: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for file in range(FILES):
            size = min(int(chance.paretovariate(1.1) * 3000), 2_000_000)
            at = chance.randrange(len(stuff) - size)
            _add(out, f"layer{number}/usr/share/d{file % 150}/e{file % 7}/file{file}", stuff[at : at + size])
    return buffer.getvalue()


def _add(out: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = len(data), 1_700_000_000
    out.addfile(member, io.BytesIO(data))


@contextmanager
def registry(folder: Path, port: int) -> Iterator[str]:
    """Run Debian's docker-registry; gives its address."""
    folder.mkdir()
    address = f"127.0.0.1:{port}"
    document = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
    }
    (folder / "config.yml").write_text(json.dumps(document))
    process = subprocess.Popen(
        ["docker-registry", "serve", str(folder / "config.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until(lambda: _works(["curl", "-sf", f"http://{address}/v2/"], dict(os.environ)))
        yield address
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _works(command: list[str], environment: dict[str, str]) -> bool:
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def _until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_S
    while not ready():
        if time.monotonic() > deadline:
            raise UnexpectedAnswer("it did not start in time")
        time.sleep(0.1)


@contextmanager
def wharf(binaries: Path, root: Path) -> Iterator[Side]:
    """Run wharfd."""
    host = f"unix://{root}/api.sock"
    command = [str(binaries / "wharfd"), "--data-root", f"{root}/data", "--exec-root", f"{root}/run", "--host", host]
    environment = {**os.environ, "DOCKER_HOST": host}
    with _daemon(Side("wharf", [str(binaries / "wharf")], environment), command, root) as side:
        yield side


@contextmanager
def dockerd(docker: str, root: Path) -> Iterator[Side]:
    """Run Debian's dockerd, which starts a containerd of its own."""
    host = f"unix://{root}/api.sock"
    root.mkdir(parents=True)
    (root / "empty.json").write_text("{}")
    command = [
        "dockerd", "--data-root", f"{root}/data", "--exec-root", f"{root}/run", "--pidfile", f"{root}/pid",
        "--config-file", f"{root}/empty.json", "--host", host, "--iptables=false", "--bridge=none",
    ]  # fmt: skip
    environment = {**os.environ, "DOCKER_HOST": host}
    with _daemon(Side("docker", [docker], environment), command, root) as side:
        yield side


@contextmanager
def _daemon(side: Side, command: list[str], root: Path) -> Iterator[Side]:
    root.mkdir(parents=True, exist_ok=True)
    with (root / "log").open("wb") as log:
        side.daemon = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _until(lambda: _works([*side.client, "version"], side.environment))
        yield side
    finally:
        side.daemon.terminate()
        side.daemon.wait()


@contextmanager
def podman(root: Path) -> Iterator[Side]:
    """Give podman, which needs no daemon."""
    client = [
        "podman", "--root", f"{root}/data", "--runroot", f"{root}/run", "--tmpdir", f"{root}/tmp",
        "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs",
    ]  # fmt: skip
    yield Side("podman", client, dict(os.environ), plain_http=["--tls-verify=false"])


def measure(binaries: Path, docker: str, scratch: Path, rounds: int) -> list[Row]:
    """Measure all rows; needs a network namespace with its loopback up."""
    big = scratch / "big.tar"
    archive(big)
    with ExitStack() as stack:
        source = stack.enter_context(registry(scratch / "registry", 5055))
        sides = [
            stack.enter_context(wharf(binaries, scratch / "wharf")),
            stack.enter_context(dockerd(docker, scratch / "docker")),
            stack.enter_context(podman(scratch / "podman")),
        ]
        subprocess.run(
            [
                "skopeo",
                "copy",
                "-q",
                "--dest-tls-verify=false",
                f"docker-archive:{big}",
                f"docker://{source}/bench/big:1",
            ],
            check=True,
        )
        names = ("pull, cold", "pull, warm", "load", "save", "push to an empty registry")
        rows = {name: Samples(f"image of 280 MB and 15,000 files: {name}", "ms") for name in names}
        for turn in range(rounds):
            for side in sides:
                for name, value in _round(side, source, big, scratch, turn).items():
                    rows[name].add(side.name, [value])
        memory_row = Samples("most memory meanwhile (PSS, with helpers)", "MB")
        for side in sides:
            memory_row.add(side.name, [side.peak_mb])
        listing = _listing(sides[0], scratch)
    used: Row = {**memory_row.row(), "target": 150.0, "met": sides[0].peak_mb <= 150}
    return [*(against_half(samples.row()) for samples in rows.values()), used, listing]


def against_half(row: Row) -> Row:
    """Return a row with its target: half of what the best peer takes. Pure."""
    target = min(row["peers"].values()) / 2 if row["peers"] else None
    return {**row, "target": target, "met": None if target is None or row["ours"] is None else row["ours"] <= target}


def _round(side: Side, source: str, big: Path, scratch: Path, turn: int) -> dict[str, float]:
    remote = f"{source}/bench/big:1"
    found = {"pull, cold": side.run("pull", "-q", *side.plain_http, remote)}
    found["pull, warm"] = side.run("pull", "-q", *side.plain_http, remote)
    side.run("rmi", "-f", remote)
    found["load"] = side.run("load", "-q", "-i", str(big))
    saved = scratch / f"{side.name}.saved.tar"
    found["save"] = side.run("save", "-o", str(saved), _LOCAL)
    saved.unlink()
    with registry(scratch / f"empty-{side.name}-{turn}", 5056) as empty:
        there = f"{empty}/bench/new:1"
        side.run("tag", _LOCAL, there)
        found["push to an empty registry"] = side.run("push", "-q", *side.plain_http, there)
    side.run("rmi", "-f", there, _LOCAL)
    return found


def _listing(side: Side, scratch: Path) -> Row:
    """Measure `wharf images` of a thousand images."""
    tiny = scratch / "tiny.tar"
    with tarfile.open(tiny, "w") as out:
        _add(out, "f", b"1")
    for number in range(_IMAGES):
        side.run("import", str(tiny), f"bench.local/tiny{number}:1", "--message", str(number))
    samples = Samples("wharf images, of 1,000 images", "ms")
    samples.add(side.name, [side.run("images", "-q") for _ in range(7)])
    row = samples.row()
    return {**row, "target": 100.0, "met": (row["ours"] or 0) <= 100}


def main() -> int:
    """Measure, and write what was measured; in network and mount namespaces of its own."""
    top = Path(__file__).parent.parent
    if not os.environ.get(_ISOLATED):
        alone = ("unshare", "--mount", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
        again = [*alone, sys.executable, "-m", "bench.transfers", *sys.argv[1:]]
        return subprocess.run(again, env={**os.environ, _ISOLATED: "1"}, check=False).returncode
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    docker = subprocess.run(
        [top / "scripts/docker-cli"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="wharf-bench.", dir="/tmp") as folder:
        rows = measure(top / ".venv/bin", docker, Path(folder), rounds)
    (top / "build").mkdir(exist_ok=True)
    (top / "build/bench-transfers.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    report.write(top / "docs/performance.md", rows, "make bench-transfers")
    sys.stdout.write(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
