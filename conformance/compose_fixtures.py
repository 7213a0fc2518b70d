"""Compose files that others wrote: where they come from, and how they are copied to be run.

- docker compose's end-to-end fixtures and compose-go's come with their Go modules, from Go's proxy.
- podman-compose's tests and examples: its source distribution leaves them out. ``PODMAN_COMPOSE`` names a checkout of
  its repository.
- The examples in the Compose Specification's text: ``COMPOSE_SPEC`` names a checkout of its repository.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.compose_stand_ins import complete
from conformance.suites import Unavailable

_COMPOSE, _COMPOSE_GO = "github.com/docker/compose/v5@v5.1.2", "github.com/compose-spec/compose-go/v2@v2.10.2"
_BLOCK = re.compile(r"^( *)```ya?ml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_LOADED = re.compile(r"^(services|include):\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fixture:
    """A Compose file that is loaded by itself."""

    name: str
    path: Path
    suite: Path  # the folder that has all it speaks of
    more: str = ""  # the name of a file beside it that is merged after it
    external: tuple[tuple[str, str], ...] = ()  # (networks or volumes, name) of what has to be there already


def of_modules() -> list[Fixture]:
    """Return docker compose's end-to-end fixtures and compose-go's."""
    return [*of_docker_compose(), *_below(_module(_COMPOSE_GO), "compose-spec/compose-go/v2")]


def of_docker_compose() -> list[Fixture]:
    """Return docker compose's end-to-end fixtures."""
    return _below(_module(_COMPOSE) / "pkg/e2e/fixtures", "docker/compose/v5")


def of_podman_compose() -> list[Fixture]:
    """Return podman-compose's fixtures.

    Raises:
        Unavailable: there is no checkout.
    """
    return _below(_checkout("PODMAN_COMPOSE"), "podman-compose")


def of_specification(scratch: Path) -> list[Fixture]:
    """Write each example of the specification that is a whole file into a folder of its own; return them.

    Raises:
        Unavailable: there is no checkout.
    """
    found = []
    for page in sorted(_checkout("COMPOSE_SPEC").glob("*.md")):
        if page.name == "spec.md":  # all the other pages in one
            continue
        for number, text in enumerate(examples(page.read_text())):
            name = f"{page.stem}-{number}"
            path = scratch / name / "app/compose.yaml"  # in a folder of its own: some speak of what is beside it
            path.parent.mkdir(parents=True)
            path.write_text(text)
            found.append(Fixture(f"compose-spec:{name}", path, scratch))
    return found


def completed(fixtures: Iterable[Fixture]) -> list[Fixture]:
    """Return examples with all that they leave out."""
    found = []
    for fixture in fixtures:
        more, external = complete(fixture.path)
        found.append(replace(fixture, more=more, external=external))
    return found


def examples(page: str) -> list[str]:
    """Return the blocks of a page that are whole Compose files."""
    texts = [textwrap.dedent(text) for _, text in _BLOCK.findall(page)]
    return [text for text in texts if _LOADED.search(text)]


def _checkout(variable: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        raise Unavailable(f"{variable} names no checkout of its repository")
    return Path(named)


def _module(module: str) -> Path:
    command = ["go", "mod", "download", "-json", module]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    return Path(json.loads(answer.stdout)["Dir"])


def _below(folder: Path, name: str) -> list[Fixture]:
    return [
        Fixture(f"{name}:{path.relative_to(folder)}", path, folder)
        for path in _compose_files(folder.rglob("*"))
        if not path.relative_to(folder).parts[0].startswith(".")
    ]


def _compose_files(paths: Iterable[Path]) -> list[Path]:
    found = (path for path in paths if path.suffix in {".yml", ".yaml"})
    return sorted(path for path in found if _LOADED.search(path.read_text(errors="replace")))
