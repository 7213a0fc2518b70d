"""Projects: loading one of 100 services, bringing one of 20 up, and finding it unchanged.

Beside docker compose on dockerd and podman-compose (of PyPI, in an environment of its own below ``build``) on podman.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from bench import image, workloads
from bench.raw_http import UnexpectedAnswer
from bench.rows import Row, Samples, Target
from bench.sides import Side

_TOP = Path(__file__).parent.parent
_LARGE, _SMALL = 100, 20
_PODMAN_COMPOSE = "podman-compose==1.6.0"


def text(services: int) -> str:
    """Return a Compose file of so many services, each with what services usually have."""
    lines = ["services:", *map(_service, range(services))]
    lines += ["networks: {front: {}}", "volumes:", *(f"  data{number}: {{}}" for number in range(services))]
    return "\n".join(lines) + "\n"


def _service(number: int) -> str:
    return f"""\
  s{number}:
    image: {image.NAME}
    command: ["sleep", "1000000"]
    init: true
    environment: {{A: "x{number}", HOME: "${{HOME}}"}}
    volumes: ["data{number}:/data"]
    networks: [front]
    labels: [a=b]
    stop_grace_period: 0s
    healthcheck: {{test: ["CMD", "true"], interval: 1s, retries: 3}}
    deploy: {{resources: {{limits: {{cpus: "0.5", memory: 64M}}}}}}"""


def client(side: Side) -> list[str] | None:
    """Return the command that speaks Compose to a side: our own, docker compose, podman-compose; or None."""
    if side.name == "wharf":
        return [*side.clients[1], "compose"]
    if side.name == "docker":
        found = subprocess.run([_TOP / "scripts/docker-compose"], stdout=subprocess.PIPE, text=True, check=True)
        return [found.stdout.strip()]
    return _podman_compose(side) if side.name == "podman" else None


def _podman_compose(side: Side) -> list[str]:
    binaries = _TOP / "build/podman-compose/bin"
    if not (binaries / "podman-compose").exists():
        subprocess.run([sys.executable, "-m", "venv", binaries.parent], check=True)
        subprocess.run([binaries / "pip", "install", "--quiet", _PODMAN_COMPOSE], check=True)
    # It takes podman as one program: ours has options, and runs beside the side's service.
    podman = Path(side.socket).with_name("podman")
    podman.write_text(f'#!/bin/sh\nexec {shlex.join(side.clients[1])} "$@"\n')
    podman.chmod(0o755)
    return [str(binaries / "podman-compose"), "--podman-path", str(podman)]


def measure(sides: list[Side], scratch: Path, rounds: int) -> list[Row]:
    """Return the rows; each side has its turn in each round, after one that does not count."""
    load = Samples(f"compose: load {_LARGE} services (config -q)", "ms", Target(plus=200))
    up = Samples(f"compose: up -d of {_SMALL} services with health checks", "ms", Target(peers={"docker": 1 / 3}))
    unchanged = Samples("compose: up -d that changes nothing", "ms", Target(plus=300))
    clients = {side.name: (side, command) for side in sides if (command := client(side)) is not None}
    for turn in range(rounds + 1):
        for name, (side, command) in clients.items():
            values = _turn(side, command, scratch / f"compose-{name}")
            if turn:
                for samples, value in zip((load, up, unchanged), values, strict=True):
                    samples.add(name, [value])
    return [samples.row() for samples in (load, up, unchanged)]


def _turn(side: Side, command: list[str], folder: Path) -> tuple[float, float, float]:
    folder.mkdir(exist_ok=True)
    (folder / "large.yaml").write_text(text(_LARGE))
    (folder / "compose.yaml").write_text(text(_SMALL))
    # Without systemd podman has nobody to time its health checks: it is spared them.
    environment = {**side.environment, "PWD": str(folder), "DISABLE_HC_SYSTEMD": "true"}
    large, small = [*command, "-f", str(folder / "large.yaml")], [*command, "-f", str(folder / "compose.yaml")]
    try:
        return (
            workloads.command_ms([*large, "config", "-q"], environment),
            workloads.command_ms([*small, "up", "-d"], environment),
            workloads.command_ms([*small, "up", "-d"], environment),
        )
    finally:
        done = subprocess.run([*small, "down", "-v", "-t", "0"], env=environment, capture_output=True, check=False)
        if done.returncode:
            raise UnexpectedAnswer(f"{side.name}: down: {done.stderr.decode(errors='replace')[-500:]}")
