"""``config`` of Compose files that others wrote, by Wharf and by docker compose, 2 and 5.

A fixture passes when both print the same model, or both refuse it. docker compose 2 is Debian's
(scripts/docker-compose), 5 is built from its Go module (scripts/docker-compose-5).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from conformance.compose_fixtures import Fixture, of_modules, of_podman_compose, of_specification
from conformance.suites import Outcome, Suite, Unavailable

_TOP = Path(__file__).parent.parent
# What the two answer differently, and why that is meant.
_PODMAN = "podman-compose:tests/integration"
_SSH = "it cannot print as JSON what it prints as YAML"
_MODELS = "it leaves models out of JSON"
_MEANT = {
    "docker/compose/v5:build-test/ssh/compose.yaml": _SSH,
    "docker/compose/v5:model/compose.yaml": _MODELS,
    f"{_PODMAN}/build_ssh/docker-compose.yml": _SSH,
    f"{_PODMAN}/extends_w_empty_service/docker-compose.yml": "it prints what is extended anyway",
    f"{_PODMAN}/pod_args/custom_pod_args_empty/docker-compose.yml": "it prints [] as null in JSON",
    "compose-spec:models-0": _MODELS,
    "compose-spec:models-1": _MODELS,
    "compose-spec:05-services-28": "it does not know pre_start yet",
}
_TIMEOUT_S = 60


def peer(version: int) -> list[str]:
    """Return the command that is docker compose of a major version: 2 or 5.

    Raises:
        Unavailable: it cannot be had; its script has said why.
    """
    script = {2: "docker-compose", 5: "docker-compose-5"}[version]
    done = subprocess.run([_TOP / "scripts" / script], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"there is no docker compose {version}: scripts/{script} failed")
    return [done.stdout.strip()]


def compare(fixtures: Iterable[Fixture], version: int) -> Outcome:
    """Compare every fixture with one version of docker compose; print those on which the two differ."""
    theirs, ours = peer(version), [str(_TOP / ".venv/bin/wharf"), "compose"]
    missing: list[str] = []
    passed = 0
    for fixture in fixtures:
        mine, other = config(ours, fixture.path), config(theirs, fixture.path)
        said = difference(without_default(mine), without_default(other))
        if said and fixture.name not in _MEANT:
            missing.append(fixture.name)
            sys.stdout.write(f"compose-config: {fixture.name}: docker compose {version}: {said}\n")
        else:
            passed += 1
    return Outcome(passed, len(missing), 0, tuple(missing))


def config(command: list[str], path: Path) -> dict[str, object] | str:
    """Return the model that a command prints, or the words with which it refuses the file."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/root"}
    done = subprocess.run(
        [*command, "-f", path, "config", "--format", "json"],
        check=False, capture_output=True, text=True, cwd=path.parent, env=environment, timeout=_TIMEOUT_S,
    )  # fmt: skip
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"
    found: dict[str, object] = json.loads(done.stdout)
    return found


def without_default(model: dict[str, object] | str) -> dict[str, object] | str:
    """Return a model without ``create_host_path``: 2 prints it when it is true, 5 when it is false."""
    if isinstance(model, str):
        return model
    found: dict[str, object] = json.loads(json.dumps(model), object_hook=_without_create_host_path)
    return found


def _without_create_host_path(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != "create_host_path"}


def difference(ours: dict[str, object] | str, theirs: dict[str, object] | str) -> str:
    """Return in words how two answers differ; empty when they agree."""
    if isinstance(ours, str) and isinstance(theirs, str):
        return ""
    if isinstance(ours, str):
        return f"refused by us alone: {ours}"
    if isinstance(theirs, str):
        return f"refused by docker compose alone: {theirs}"
    return "; ".join(_paths(ours, theirs, ""))


def _paths(ours: object, theirs: object, at: str) -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = []
        for key in sorted({*ours, *theirs}):
            found += _paths(ours.get(key), theirs.get(key), f"{at}.{key}" if at else key)
        return found
    return [] if ours == theirs else [f"{at}: {json.dumps(ours)} is {json.dumps(theirs)} there"]


SUITES = (
    Suite("compose-config", 190, lambda _: compare(of_modules(), 2)),
    Suite("compose-config-5", 190, lambda _: compare(of_modules(), 5)),
    Suite("compose-config-podman", 154, lambda _: compare(of_podman_compose(), 2)),
    Suite("compose-config-spec", 96, lambda scratch: compare(of_specification(scratch), 2)),
)
