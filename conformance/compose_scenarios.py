"""docker compose, and docker-compose 1.29 where it is installed, driving our daemon through projects' lives.

Each scenario is a list of steps: a command line, its exit code, and what its output has to have, or not, in it.
The peers know nothing of Wharf; Debian's docker compose 2 comes by scripts/docker-compose.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import sides

from conformance.docker_py import alpine
from conformance.suites import Outcome, Suite
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
_DOCKERFILE = "FROM busybox\nRUN echo built >/built\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A command line after the peer's own, a pattern that its output must have, and what it must not have."""

    words: tuple[str, ...]
    pattern: str = ""
    absent: str = ""
    code: int = 0


def _step(line: str, pattern: str = "", *, absent: str = "", code: int = 0) -> Step:
    return Step(tuple(line.split()), pattern, absent, code)


SCENARIOS: dict[str, Sequence[Step]] = {
    "up, again, and down": (
        _step("up -d --build"), _step("ps", r"web[-_]1.*Up"), _step("up -d", absent="(Creat|Recreat)ing|Recreate"),
        _step("down -v"), _step("ps -q", r"\A\Z"),
    ),
    "scale up and down": (
        _step("up -d --scale web=3"), _step("ps", r"web[-_]3"), _step("up -d --scale web=1"),
        _step("ps", r"web[-_]1", absent=r"web[-_]3"), _step("down -v"),
    ),
    "logs": (_step("up -d"), _step("logs --no-color", r"web[-_]1 +\| web up"), _step("down -v")),
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


def run(scratch: Path) -> Outcome:
    """Play every scenario by every peer; print those that fail."""
    peers = _peers()
    engine = sides.wharf(_TOP / ".venv/bin", scratch / "wharf")
    missing: list[str] = []
    passed = 0
    with sides.running(engine, scratch / "wharf", "docker", {"busybox": alpine(busybox.layer())}) as side:
        for peer, command in peers.items():
            for name, steps in SCENARIOS.items():
                folder = scratch / f"app{passed + len(missing)}"
                folder.mkdir()
                (folder / "docker-compose.yml").write_text(('version: "3.8"\n' if "1" in peer else "") + _APP)
                (folder / "Dockerfile").write_text(_DOCKERFILE)
                said = play(command, steps, folder, side.environment)
                passed += not said
                if said:
                    missing.append(f"{peer}: {name}")
                    sys.stdout.write(f"compose-scenarios: {peer}: {name}: {said}\n")
    return Outcome(passed, len(missing), 0, tuple(missing))


def _peers() -> dict[str, list[str]]:
    found = subprocess.run([_TOP / "scripts/docker-compose"], check=True, stdout=subprocess.PIPE, text=True)
    peers = {"docker compose 2": [found.stdout.strip(), "--ansi", "never"]}
    old = shutil.which("docker-compose")
    if (
        old is not None
        and subprocess.run([old, "version", "--short"], capture_output=True, check=False).stdout[:2] == b"1."
    ):
        peers["docker-compose 1"] = [old, "--no-ansi"]
    return peers


def play(command: Sequence[str], steps: Sequence[Step], folder: Path, environment: dict[str, str]) -> str:
    """Take the steps; return what went wrong first, empty when nothing did. The project is taken down in any case."""
    # 1.29 asks for what the API had until 1.51; BuildKit's client is no part of it.
    more = {"COMPOSE_API_VERSION": "1.41", "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
    environment = {**environment, **(more if "--no-ansi" in command else {"DOCKER_BUILDKIT": "0"})}
    try:
        for step in steps:
            done = subprocess.run(
                [*command, *step.words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
            )  # fmt: skip
            said = _wrong(step, done.returncode, done.stdout, done.stderr)
            if said:
                return f"{' '.join(step.words)}: {said}"
    finally:
        subprocess.run([*command, "down", "-v"], cwd=folder, env=environment, capture_output=True, check=False)
    return ""


def _wrong(step: Step, code: int, out: str, err: str) -> str:
    if code != step.code:
        return f"exit {code} instead of {step.code}: {err.strip()[-300:]}"
    if step.pattern and not re.search(step.pattern, out):
        return f"no {step.pattern!r} in {out[-300:]!r}"
    if step.absent and re.search(step.absent, out + err):
        return f"{step.absent!r} in {(out + err)[-300:]!r}"
    return ""


SUITE = Suite("compose-scenarios", 8, run)
