"""Projects: loading one of 100 services, bringing one of 20 up, and finding it unchanged; beside docker compose."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench import image, workloads
from bench.raw_http import UnexpectedAnswer
from bench.rows import Row, Samples, Target
from bench.sides import Side

_TOP = Path(__file__).parent.parent
_LARGE, _SMALL = 100, 20


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
    """Return the command that speaks Compose to a side: our own, or docker compose; None where there is none."""
    if side.name == "wharf":
        return [*side.clients[1], "compose"]
    if side.name != "docker":
        return None
    found = subprocess.run([_TOP / "scripts/docker-compose"], stdout=subprocess.PIPE, text=True, check=True)
    return [found.stdout.strip()]


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
    environment = {**side.environment, "PWD": str(folder)}
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
