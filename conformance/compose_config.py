"""``config`` of docker compose's own end-to-end fixtures and of compose-go's, by Wharf and by docker compose.

The fixtures come with the two Go modules, from the module proxy that Go is configured for; the peer is Debian's
docker compose (scripts/docker-compose). A fixture passes when both print the same model, or both refuse it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from conformance.suites import Outcome, Suite

_TOP = Path(__file__).parent.parent
_MODULES = {
    "github.com/docker/compose/v5@v5.1.2": "pkg/e2e/fixtures",
    "github.com/compose-spec/compose-go/v2@v2.10.2": "",
}
# What the two answer differently, and why that is meant.
_MEANT = {
    "docker/compose/v5:build-test/ssh/compose.yaml": "it cannot print as JSON what it prints as YAML",
    "docker/compose/v5:model/compose.yaml": "it leaves models out of JSON",
}
_TIMEOUT_S = 60


def run(_: Path) -> Outcome:
    """Compare every fixture; print those on which the two differ."""
    peer = subprocess.run([_TOP / "scripts/docker-compose"], check=True, capture_output=True, text=True)
    ours = [str(_TOP / ".venv/bin/wharf"), "compose"]
    missing: list[str] = []
    passed = 0
    for name, path in fixtures():
        said = difference(config(ours, path), config([peer.stdout.strip()], path))
        if said and name not in _MEANT:
            missing.append(name)
            sys.stdout.write(f"compose-config: {name}: {said}\n")
        else:
            passed += 1
    return Outcome(passed, len(missing), 0, tuple(missing))


def fixtures() -> list[tuple[str, Path]]:
    """Return name and path of every Compose file that is loaded by itself."""
    found: list[tuple[str, Path]] = []
    for module, below in _MODULES.items():
        answer = subprocess.run(
            ["go", "mod", "download", "-json", module], check=True, capture_output=True, text=True, timeout=600
        )
        folder = Path(json.loads(answer.stdout)["Dir"]) / below
        name = module.partition("@")[0].removeprefix("github.com/")
        paths = sorted(path for path in folder.rglob("*") if path.suffix in {".yml", ".yaml"})
        found += [(f"{name}:{path.relative_to(folder)}", path) for path in paths if _is_compose_file(path)]
    return found


def _is_compose_file(path: Path) -> bool:
    text = path.read_text(errors="replace")
    return any(line.rstrip() in {"services:", "include:"} for line in text.splitlines())


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


SUITE = Suite("compose-config", 190, run)
