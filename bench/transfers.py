"""``python -m bench.transfers [ROUNDS [PART...]]``: an image of 280 MB to and from one registry on loopback.

The parts are ``moves`` (everything by each side's own client), ``warm`` (a pull of what is there already, like with
like: the same bytes to each engine's socket, and the same ``docker`` command) and ``list``. What earlier runs have
measured of other parts stays in the table.

All in one network namespace, each side on a root of its own, in turns: every other round begins with the last one.
Cold means that the side has nothing of the image; warm, that it has it all and asks again. A fresh push is to a
registry that has nothing. What a side does after it has answered (unpacking later, writing back) is no part of its
figure, nor of another's: before each measurement all that is still to be written is (sync(2)).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import select
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench import memory, report
from bench.raw_http import Connection, UnexpectedAnswer
from bench.rows import Row, Samples, markdown

LAYERS, FILES = 5, 3000
_LOCAL: Final = "bench.local/big:1"
_IMAGES: Final = 1000
_ROUNDS: Final = 5
_WARM: Final = 4
_START_S: Final = 60.0
_LOOK_MS: Final = 50
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

    def measured(self, *arguments: str) -> float:
        """Return the milliseconds of a command on a disk that has nothing else to do."""
        os.sync()
        return self.run(*arguments)

    def run(self, *arguments: str) -> float:
        """Return the milliseconds of a command; note the most memory that the side had meanwhile."""
        command = [*self.client, *arguments]
        start = time.perf_counter()
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.environment
        ) as running:
            while not _has_ended(running.pid, _LOOK_MS):
                self._look(running.pid)
            elapsed = time.perf_counter() - start
            if running.wait():
                said = running.stderr.read() if running.stderr else b""
                raise UnexpectedAnswer(f"{' '.join(command)}: {said.decode(errors='replace')[-400:]}")
        return elapsed * 1e3

    def _look(self, client: int) -> None:
        try:
            used = memory.proportional_mb(memory.tree(self.daemon.pid if self.daemon else client))
            self.peak_mb = max(self.peak_mb, used)
        except (OSError, ValueError):
            return  # a process of it has ended meanwhile


def _has_ended(pid: int, within_ms: int) -> bool:
    """Tell whether a child ends within that time, at once when it does: Popen.wait looks after 15.5 and 31.5 ms."""
    fd = os.pidfd_open(pid)
    try:
        ended = select.poll()
        ended.register(fd, select.POLLIN)
        return bool(ended.poll(within_ms))
    finally:
        os.close(fd)


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


@dataclass(frozen=True, slots=True)
class Place:
    """What the parts work with."""

    scratch: Path
    archive: Path
    remote: str  # the image, in a registry
    docker: str  # the command
    sides: list[Side]
    rounds: int


def measure(binaries: Path, docker: str, scratch: Path, rounds: int, parts: Sequence[str]) -> list[Row]:
    """Measure the rows of these parts; needs a network namespace with its loopback up."""
    big = scratch / "big.tar"
    archive(big)
    with ExitStack() as stack:
        remote = f"{stack.enter_context(registry(scratch / 'registry', 5055))}/bench/big:1"
        sides = [
            stack.enter_context(wharf(binaries, scratch / "wharf")),
            stack.enter_context(dockerd(docker, scratch / "docker")),
            stack.enter_context(podman(scratch / "podman")),
        ]
        copy = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"docker-archive:{big}", f"docker://{remote}"]
        subprocess.run(copy, check=True)
        place = Place(scratch, big, remote, docker, sides, rounds)
        return [row for part in parts for row in PARTS[part](place)]


def _moves(place: Place) -> list[Row]:
    names = ("pull, cold", "load", "save", "push to an empty registry")
    rows = {name: Samples(f"image of 280 MB and 15,000 files: {name}", "ms") for name in names}
    for turn in range(place.rounds):
        for side in place.sides if turn % 2 == 0 else reversed(place.sides):
            for name, value in _round(side, place, turn).items():
                rows[name].add(side.name, [value])
    memory_row = Samples("most memory meanwhile (PSS, with helpers)", "MB")
    for side in place.sides:
        memory_row.add(side.name, [side.peak_mb])
    used: Row = {**memory_row.row(), "target": 150.0, "met": place.sides[0].peak_mb <= 150}
    return [*(against_half(samples.row()) for samples in rows.values()), used]


def _round(side: Side, place: Place, turn: int) -> dict[str, float]:
    found = {"pull, cold": side.measured("pull", "-q", *side.plain_http, place.remote)}
    side.run("rmi", "-f", place.remote)
    found["load"] = side.measured("load", "-q", "-i", str(place.archive))
    saved = place.scratch / f"{side.name}.saved.tar"
    found["save"] = side.measured("save", "-o", str(saved), _LOCAL)
    saved.unlink()
    with registry(place.scratch / f"empty-{side.name}-{turn}", 5056) as empty:
        there = f"{empty}/bench/new:1"
        side.run("tag", _LOCAL, there)
        found["push to an empty registry"] = side.measured("push", "-q", *side.plain_http, there)
    side.run("rmi", "-f", there, _LOCAL)
    return found


def _warm(place: Place) -> list[Row]:
    """Measure a pull of what is there already, by what asks for it."""
    request, command, own = (
        Samples(f"pull, warm: {how}", "ms")
        for how in ("one request to the engine", "`docker pull`", "its own command")
    )
    for side in place.sides:
        side.run("pull", "-q", *side.plain_http, place.remote)
    for turn in range(_WARM * place.rounds):
        for side in place.sides if turn % 2 == 0 else reversed(place.sides):
            own.add(side.name, [side.run("pull", "-q", *side.plain_http, place.remote)])
            if side.daemon:
                asked = replace(side, client=[place.docker])
                command.add(side.name, [asked.run("pull", "-q", place.remote)])
                request.add(side.name, [_requested(side, place.remote)])
    for side in place.sides:
        side.run("rmi", "-f", place.remote)
    return [against_half(request.row()), command.row(), own.row()]


def _requested(side: Side, remote: str) -> float:
    """Return the milliseconds of a pull by the engine's API, from the connection to the end of the answer."""
    name, _, tag = remote.rpartition(":")
    start = time.perf_counter()
    with Connection(side.environment["DOCKER_HOST"].removeprefix("unix://")) as connection:
        answer = connection.request("POST", f"/images/create?fromImage={quote(name, safe='')}&tag={tag}")
    elapsed = time.perf_counter() - start
    if b"Image is up to date" not in answer:
        raise UnexpectedAnswer(f"{side.name}: {answer.decode(errors='replace')}")
    return elapsed * 1e3


def against_half(row: Row) -> Row:
    """Return a row with its target: half of what the best peer takes. Pure."""
    target = min(row["peers"].values()) / 2 if row["peers"] else None
    return {**row, "target": target, "met": None if target is None or row["ours"] is None else row["ours"] <= target}


def _listing(place: Place) -> list[Row]:
    """Measure `wharf images` of a thousand images, and the import of one more."""
    side, tiny = place.sides[0], place.scratch / "tiny.tar"
    with tarfile.open(tiny, "w") as out:
        _add(out, "f", b"1")
    for number in range(_IMAGES):
        _import(side, tiny, number)
    listed = Samples("wharf images, of 1,000 images", "ms")
    listed.add(side.name, [side.run("images", "-q") for _ in range(7)])
    imported = Samples("import beside 1,000 images: one request to the engine", "ms")
    imported.add(side.name, [_import(side, tiny, number) for number in range(_IMAGES, _IMAGES + 9)])
    row = listed.row()
    return [{**row, "target": 100.0, "met": (row["ours"] or 0) <= 100}, imported.row()]


def _import(side: Side, archive: Path, number: int) -> float:
    path = f"/images/create?fromSrc=-&repo=bench.local/tiny{number}&tag=1&message={number}"
    start = time.perf_counter()
    with Connection(side.environment["DOCKER_HOST"].removeprefix("unix://")) as connection:
        connection.request("POST", path, archive.read_bytes(), "application/x-tar")
    return (time.perf_counter() - start) * 1e3


PARTS: Final[Mapping[str, Callable[[Place], list[Row]]]] = {"moves": _moves, "warm": _warm, "list": _listing}


def merged(before: Iterable[Row], rows: Iterable[Row]) -> list[Row]:
    """Return what was measured before with what was measured now in its place, or behind it. Pure."""
    by_name = {row["name"]: row for row in (*before, *rows)}
    return list(by_name.values())


def main() -> int:
    """Measure, and write what was measured; in network and mount namespaces of its own."""
    top = Path(__file__).parent.parent
    if not os.environ.get(_ISOLATED):
        alone = ("unshare", "--mount", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
        again = [*alone, sys.executable, "-m", "bench.transfers", *sys.argv[1:]]
        return subprocess.run(again, env={**os.environ, _ISOLATED: "1"}, check=False).returncode
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    docker = subprocess.run(
        [top / "scripts/docker-cli"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    parts = sys.argv[2:] or list(PARTS)
    with tempfile.TemporaryDirectory(prefix="wharf-bench.", dir="/tmp") as folder:
        rows = measure(top / ".venv/bin", docker, Path(folder), rounds, parts)
    measured = top / "build/bench-transfers.json"
    measured.parent.mkdir(exist_ok=True)
    if sys.argv[2:] and measured.exists():
        rows = merged(json.loads(measured.read_text()), rows)
    measured.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    report.write(top / "docs/performance.md", rows, "make bench-transfers")
    sys.stdout.write(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
