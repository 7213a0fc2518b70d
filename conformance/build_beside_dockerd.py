"""Dockerfiles of our own, built by Wharf and by Debian's dockerd through both of its doors, and compared.

By ``docker buildx`` the images have the same configuration, history and layers, file by file; by the old door, whose
builder at dockerd cuts layers otherwise, the same configuration and files. Both say the same when they are run, and a
Dockerfile that one refuses is refused by the other. Comments in a Dockerfile say what else a build is given:
``# with:`` flags, ``# only:`` one door, ``# context:`` another one.

The peer's builders are of 2020. What they do otherwise than BuildKit does today is left out of the Dockerfiles: mount
points that stay, pipes that are not copied, the old builder's owners of folders.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import sides
from bench.raw_http import Connection
from bench.sides import Engine, Side

from conformance import build_context
from conformance.built_image import (
    BuiltImage,
    config_differences,
    file_differences,
    history_differences,
    image_of,
    layer_differences,
)
from conformance.suites import Outcome, Suite
from wharf.images import busybox

_TOP: Final = Path(__file__).parent.parent
FOLDER: Final = Path(__file__).parent / "dockerfiles"
_NOTE: Final = re.compile(r"^# (with|only|context): (.*?)\r?$", re.MULTILINE)
_BUILD_S: Final = 120
DOORS: Final = ("classic", "buildkit")


@dataclass(frozen=True, slots=True)
class Case:
    """A Dockerfile, and what its build is given."""

    name: str
    path: Path
    doors: tuple[str, ...] = DOORS
    flags: tuple[str, ...] = ()
    context: str = "tree"

    @property
    def refused(self) -> bool:
        """Whether no builder takes it."""
        return self.name.startswith("refused-")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case."""

    image: BuiltImage | None
    said: str  # by the container; by the builder where there is no image


def cases(folder: Path = FOLDER) -> list[Case]:
    """Return the cases in the order in which they build on each other."""
    found = [_case(path) for path in folder.glob("*.Dockerfile")]
    return sorted(found, key=lambda one: (_rank(one, folder), one.name))


def _rank(case: Case, folder: Path) -> int:
    """Return how many images of other cases are below a case's."""
    base = re.search(r"^FROM beside/(\S+)", case.path.read_text(), re.MULTILINE)
    return 1 + _rank(_case(folder / f"{base[1]}.Dockerfile"), folder) if base else 0


def _case(path: Path) -> Case:
    notes = dict(_NOTE.findall(path.read_text()))
    doors = (notes["only"],) if "only" in notes else DOORS
    flags = tuple(shlex.split(notes.get("with", "")))
    return Case(path.name.removesuffix(".Dockerfile"), path, doors, flags, notes.get("context", "tree"))


def run(scratch: Path) -> Outcome:
    """Build every case by both and print what differs."""
    contexts = scratch / "contexts"
    for name, write in (("tree", build_context.write_tree), ("ignoring", build_context.write_ignoring)):
        (contexts / name).mkdir(parents=True)
        write(contexts / name)
    found = cases()
    ours = _play(sides.wharf(_TOP / ".venv/bin", scratch / "wharf"), scratch / "wharf", contexts, found)
    theirs = _play(sides.dockerd(scratch / "docker"), scratch / "docker", contexts, found)
    failed = []
    for (name, door), mine in ours.items():
        if said := list(differences(name, door, mine, theirs[name, door])):
            failed.append(f"{name} ({door})")
            sys.stdout.write(f"build-beside-dockerd: {failed[-1]}:\n" + "".join(f"    {one}\n" for one in said))
    return Outcome(len(ours) - len(failed), len(failed), 0, tuple(failed))


def differences(name: str, door: str, ours: Result, theirs: Result) -> Iterator[str]:
    """Yield in words what the two made differently."""
    if ours.image is None or theirs.image is None:
        if (ours.image is None) != (theirs.image is None):
            yield f"only {'dockerd' if ours.image is None else 'wharf'} builds it: {ours.said or theirs.said}"
        elif not name.startswith("refused-"):
            yield f"nobody builds it: {ours.said}"
        return
    yield from config_differences(ours.image, theirs.image)
    if ours.said != theirs.said:
        yield f"a container says {ours.said!r}, and {theirs.said!r} there"
    if door == "classic":
        yield from file_differences(ours.image.files(), theirs.image.files(), "file")
        return
    yield from history_differences(ours.image, theirs.image)
    yield from layer_differences(ours.image, theirs.image)


def _play(engine: Engine, root: Path, contexts: Path, found: Sequence[Case]) -> Mapping[tuple[str, str], Result]:
    docker, plugin = _printed("docker-cli"), _printed("docker-buildx")
    results: dict[tuple[str, str], Result] = {}
    with sides.running(engine, root, docker, {"busybox:latest": busybox.layer()}) as side:
        plugins = Path(side.environment["DOCKER_CONFIG"]) / "cli-plugins"
        plugins.mkdir()
        (plugins / "docker-buildx").symlink_to(plugin)
        for door in DOORS:
            for case in found:
                if door in case.doors:
                    results[case.name, door] = _one(side, docker, contexts, case, door)
    return results


def _one(side: Side, docker: str, contexts: Path, case: Case, door: str) -> Result:
    image = f"beside/{case.name}"
    environment = {**side.environment, "DOCKER_BUILDKIT": str(int(door == "buildkit")), "BUILDX_GIT_INFO": "false"}

    folder = contexts / case.context
    shutil.copyfile(case.path, folder / "Dockerfile")

    def say(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [docker, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_BUILD_S, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.decode(errors="replace")

    quiet = ("--provenance=false", "--progress=plain") if door == "buildkit" else ()
    status, text = say("build", "-t", image, *quiet, *case.flags, ".")
    if status:
        return Result(None, text[-600:])
    with Connection(side.socket) as connection:
        built = image_of(
            connection.json("GET", f"/images/{image}/json"), connection.request("GET", f"/images/{image}/get")
        )
    said = say("run", "--rm", "--network=none", "--hostname=h", image)[1] if built.config.get("Cmd") else ""
    return Result(built, said)


def _printed(script: str) -> str:
    return subprocess.run([_TOP / "scripts" / script], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


SUITE = Suite("build-beside-dockerd", sum(len(case.doors) for case in cases()), run)
