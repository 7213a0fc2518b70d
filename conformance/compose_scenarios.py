"""docker compose 2 and 5, and docker-compose 1.29 where it is installed, driving our daemon through projects' lives.

Each scenario is a list of steps: a command line, its exit code, and what its output has to have, or not, in it; some
are taken while a command follows. The peers know nothing of Wharf (:func:`conformance.compose_config.peer`).
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import sides

from conformance.compose_config import peer
from conformance.docker_py import alpine
from conformance.suites import Outcome, Suite, Unavailable
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
_TIMEOUT_S = 120
_APP = """\
services:
  db:
    image: busybox
    command: sh -c 'echo db up; exec sleep 1000'
    volumes: ["data:/data"]
    stop_grace_period: 1s
    healthcheck: {test: [CMD, "true"], interval: 1s}
  web:
    build: .
    command: sh -c 'echo web up; exec sleep 1000'
    depends_on: [db]
    environment: {A: "1"}
    ports: ["80"]
    stop_grace_period: 1s
volumes: {data: {}}
"""
_WATCHED = """\
services:
  web:
    build: .
    command: sleep 1000
    stop_grace_period: 0s
    develop:
      watch:
        - {action: sync, path: ./synced, target: /synced}
        - {action: rebuild, path: ./Dockerfile}
"""
_DOCKERFILE = "FROM busybox\nRUN echo built >/built\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A command line after the peer's own, a pattern that its output must have, and what it must not have."""

    words: tuple[str, ...]
    pattern: str = ""
    absent: str = ""
    code: int = 0
    writes: tuple[str, str] | None = None  # a file and its content, before the command
    until_s: float = 0  # try until all is well: what happens is nowhere announced


@dataclass(frozen=True, slots=True)
class Following:
    """A command that goes on while steps are taken; then it is interrupted, unless it ends by itself."""

    words: tuple[str, ...]
    ready: str  # a pattern of its output; the steps come after it
    steps: tuple[Step, ...]
    pattern: str = ""  # what all of its output must have
    ends: bool = False


Steps = Sequence[Step | Following]


def _step(line: str, pattern: str = "", *, absent: str = "", code: int = 0) -> Step:
    return Step(tuple(line.split()), pattern, absent, code)


SCENARIOS: dict[str, Steps] = {
    "up, again, and down": (
        _step("up -d --build"), _step("ps", r"web[-_]1.*Up"), _step("up -d", absent="(Creat|Recreat)ing|Recreate"),
        _step("down -v"), _step("ps -q", r"\A\Z"),
    ),
    "scale up and down": (
        _step("up -d --scale web=3"), _step("ps", r"web[-_]3"), _step("up -d --scale web=1"),
        _step("ps", r"web[-_]1", absent=r"web[-_]3"), _step("down -v"),
    ),
    "logs": (_step("up -d"), _step("logs --no-color", r"web[-_]1 +\| web up"), _step("down -v")),
    "logs that are followed": (
        _step("up -d"),
        Following(
            ("logs", "-f", "--no-color"), r"web[-_]1 +\| web up",
            (Step(("exec", "-T", "web", "sh", "-c", "echo and more >/proc/1/fd/1")), _step("stop")),
            pattern=r"web[-_]1 +\| and more", ends=True,
        ),
        _step("down -v"),
    ),
    "exec and its exit code": (
        _step("up -d"), _step("exec -T web cat /built", "built"), _step("exec -T web sh -c exit${IFS}7", code=7),
        _step("down -v"),
    ),
    "run beside what runs": (_step("up -d"), _step("run --rm web cat /built", "built"), _step("down -v")),
    "build anew": (_step("build --no-cache"), _step("up -d"), _step("down -v --rmi local")),
    "stop, start, restart, pause, kill, rm": (
        _step("up -d"), _step("stop web"), _step("start web"), _step("restart web"), _step("pause db"),
        _step("ps", "[Pp]aused"), _step("unpause db"), _step("kill web"), _step("rm -f web"), _step("down -v"),
    ),
    "port, top, images": (
        _step("up -d"), _step("port web 80", r"0\.0\.0\.0:\d+"), _step("top db", "sleep 1000"),
        _step("images", "busybox"), _step("down -v"),
    ),
}  # fmt: skip

_FILE = ("-f", "watched.yml")
# What docker-compose 1.29 has not.
LATER: dict[str, Steps] = {
    "watch": (
        Step((*_FILE, "up", "-d", "--build")),
        Following(
            (*_FILE, "watch", "--no-up"), "Watch enabled",
            (
                Step((*_FILE, "exec", "-T", "web", "cat", "/synced/new"), "changed", writes=("synced/new", "changed"),
                     until_s=60),
                Step((*_FILE, "exec", "-T", "web", "cat", "/built"), "anew", until_s=60,
                     writes=("Dockerfile", "FROM busybox\nRUN echo anew >/built\n")),
            ),
        ),
        Step((*_FILE, "down", "-v", "--rmi", "local")),
    ),
    "events that were": (  # "EOF" is how they end, with dockerd too; the last second is not among them
        _step("up -d"), _step("restart web"),
        Step(("events", "--json", "--since", "10m", "--until", "0s"),
             '"action":"kill"(.|\n)*"action":"restart"', code=1, until_s=30),
        _step("down -v"),
    ),
}  # fmt: skip


def run(scratch: Path) -> Outcome:
    """Play every scenario by every peer; print those that fail."""
    peers, buildx = _peers(), _buildx()
    engine = sides.wharf(_TOP / ".venv/bin", scratch / "wharf")
    missing: list[str] = []
    passed = 0
    with sides.running(engine, scratch / "wharf", "docker", {"busybox": alpine(busybox.layer())}) as side:
        if buildx is not None:
            plugins = Path(side.environment["DOCKER_CONFIG"]) / "cli-plugins"
            plugins.mkdir()
            (plugins / "docker-buildx").symlink_to(buildx)
        for name, command in peers.items():
            is_old = name == "docker-compose 1"
            for scenario, steps in (SCENARIOS if is_old else SCENARIOS | LATER).items():
                folder = scratch / f"app{passed + len(missing)}"
                _write(folder, {"docker-compose.yml": ('version: "3.8"\n' if is_old else "") + _APP})
                said = play(command, steps, folder, side.environment | _ENVIRONMENTS[name])
                passed += not said
                if said:
                    missing.append(f"{name}: {scenario}")
                    sys.stdout.write(f"compose-scenarios: {name}: {scenario}: {said}\n")
    return Outcome(passed, len(missing), 0, tuple(missing))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    more = {"Dockerfile": _DOCKERFILE, "watched.yml": _WATCHED, "synced/old": "old"}
    for name, text in {**more, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


# 2 builds by itself, 5 by buildx; 1.29 asks for what the API had until 1.51.
_ENVIRONMENTS = {
    "docker compose 2": {"DOCKER_BUILDKIT": "0"},
    "docker compose 5": {},
    "docker-compose 1": {"COMPOSE_API_VERSION": "1.41", "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"},
}


def _peers() -> dict[str, list[str]]:
    peers = {"docker compose 2": [*peer(2), "--ansi", "never"]}
    try:
        peers["docker compose 5"] = [*peer(5), "--ansi", "never"]
    except Unavailable as error:
        sys.stderr.write(f"compose-scenarios: docker compose 5: NOT RUN: {error}\n")
    old = shutil.which("docker-compose")
    if (
        old is not None
        and subprocess.run([old, "version", "--short"], capture_output=True, check=False).stdout[:2] == b"1."
    ):
        peers["docker-compose 1"] = [old, "--no-ansi"]
    return peers


def _buildx() -> Path | None:
    """Return the plugin that docker compose 5 builds by; it is compiled if need be."""
    done = subprocess.run([_TOP / "scripts/docker-buildx"], stdout=subprocess.PIPE, text=True, check=False)
    return Path(done.stdout.strip()) if done.stdout.strip() else None


def play(command: Sequence[str], steps: Steps, folder: Path, environment: dict[str, str]) -> str:
    """Take the steps; return what went wrong first, empty when nothing did. The project is taken down in any case."""
    try:
        for step in steps:
            take = _follow if isinstance(step, Following) else _take
            if said := take(command, step, folder, environment):  # type: ignore[arg-type]
                return f"{' '.join(step.words)}: {said}"
    finally:
        subprocess.run([*command, "down", "-v"], cwd=folder, env=environment, capture_output=True, check=False)
    return ""


def _take(command: Sequence[str], step: Step, folder: Path, environment: dict[str, str]) -> str:
    if step.writes is not None:
        (folder / step.writes[0]).write_text(step.writes[1])
    deadline = time.monotonic() + step.until_s
    while True:
        done = subprocess.run(
            [*command, *step.words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
        said = _wrong(step, done.returncode, done.stdout, done.stderr)
        if not said or time.monotonic() > deadline:
            return said


def _follow(command: Sequence[str], following: Following, folder: Path, environment: dict[str, str]) -> str:
    path = folder / "followed.log"
    with path.open("wb") as output:
        process = subprocess.Popen(
            [*command, *following.words], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        said = _shown(path, following.ready, process.poll)
        for step in following.steps:
            said = said or _take(command, step, folder, environment)
        said = said or _shown(path, following.pattern, process.poll)
        if not following.ends:
            process.send_signal(signal.SIGINT)
        process.wait(_TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    return said


def _shown(path: Path, pattern: str, poll: Callable[[], int | None]) -> str:
    """Wait until a pattern is in a command's output; say so when it ends, or too much time passes, without."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        ended = poll() is not None or time.monotonic() > deadline
        text = path.read_text(errors="replace")
        if re.search(pattern, text):
            return ""
        if ended:
            return f"no {pattern!r} in {text[-300:]!r}"
        time.sleep(0.05)


def _wrong(step: Step, code: int, out: str, err: str) -> str:
    if code != step.code:
        return f"exit {code} instead of {step.code}: {err.strip()[-300:]}"
    if step.pattern and not re.search(step.pattern, out):
        return f"no {step.pattern!r} in {out[-300:]!r}"
    if step.absent and re.search(step.absent, out + err):
        return f"{step.absent!r} in {(out + err)[-300:]!r}"
    return ""


# docker compose 2 passes all against dockerd; what else is there is judged beside.
SUITE = Suite("compose-scenarios", len(SCENARIOS | LATER), run)
