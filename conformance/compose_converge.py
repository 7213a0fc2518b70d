"""Compose files that others wrote, brought up and down by ``wharf compose``, and by docker compose 2 on dockerd.

A fixture passes when both make the same of it (containers with what was asked of them, networks, volumes), when a
second ``up`` makes nothing anew, and when ``down`` leaves nothing. One that neither brings up (an image that is not
to be had, a file that both refuse) is skipped; of one whose images the peer's old builder cannot build, only we are
judged. Images are busybox under the names that the fixtures use.

dockerd's results are kept in ``build/compose-converge.json``, with what they are results of.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from bench import sides
from bench.raw_http import Connection, UnexpectedAnswer
from bench.sides import Engine, Side

from conformance import compose_config, compose_stand_ins
from conformance.compose_fixtures import (
    Fixture,
    completed,
    of_docker_compose,
    of_podman_compose,
    of_specification,
)
from conformance.compose_state import State, differences, look
from conformance.docker_py import alpine
from conformance.suites import Outcome, Suite
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
_CACHE = _TOP / "build/compose-converge.json"
# The same for both sides: paths are part of what a service's hash is made of.
_PLACE = Path("/tmp/wharf-fixtures")  # noqa: S108  # made with mkdir, which fails if it is there
_PROJECT = "fixture"
_UP_S = 40
# The peer's builder is the old one, and its engine of 2020.
_TOO_OLD = re.compile(r" Building\b|requires? (Docker Engine|API version)|classic builder")
_SERVERS = ("nginx", "redis-server", "dumb-init", "docker-entrypoint.sh")
_HOOKS = ("do_something_on_startup.sh", "manage.py")
_SCRIPT = b'#!/bin/sh\ncase "$0" in *dumb-init) exec "$@" ;; esac\ntrap "exit 0" TERM INT\nsleep 100000 &\nwait\n'
_MODEL_RUNNER = """\
#!/bin/sh
case "$1" in
    ls) echo "[]" ;;
    status) echo '{"running": true, "endpoint": "http://runner"}' ;;
    docker-cli-plugin-metadata) echo '{"SchemaVersion": "0.1.0", "Vendor": "a stand-in", "Version": "v1.0.6"}' ;;
esac
"""
_EXAMPLES = "examples"  # the specification's
_SHELL, _SERVER = ("sh",), ("nginx",)
# What the two make differently, and why that is meant.
_PODMAN = "podman-compose:tests/integration"
_STALE = "what is here will do while no registry answers"
_OWNED = "a file with an owner or a mode of its own is copied; it mounts the file as it is"
_NO_SUCH_MODE = "podman's user namespace mode is refused here; dockerd of 2020 takes any word"
_MEANT = {
    "compose-spec:05-services-2": _OWNED,
    "compose-spec:05-services-28": "it does not know pre_start yet",
    "compose-spec:05-services-32": _OWNED,
    f"{_PODMAN}/compose_up_behavior/docker-compose_override_missing.yaml": _STALE,
    f"{_PODMAN}/extends_w_empty_service/docker-compose.yml": "what is extended is a part of the hash there",
    f"{_PODMAN}/in_pod/custom_x-podman_false/docker-compose.yml": _NO_SUCH_MODE,
    f"{_PODMAN}/in_pod/custom_x-podman_not_exists/docker-compose.yml": _NO_SUCH_MODE,
    f"{_PODMAN}/in_pod/custom_x-podman_true/docker-compose.yml": _NO_SUCH_MODE,
}
_KEYS = "it is about merging, with keys that no schema knows"
_GPU = "it wants a graphics processor"
_NOBODY = {
    "compose-spec:05-services-3": "credentials for Windows containers are refused here",
    "compose-spec:05-services-10": _GPU,
    "compose-spec:05-services-11": _GPU,
    "compose-spec:05-services-23": "its link-local addresses are none",
    "compose-spec:10-fragments-1": "its volumes are mounted on relative paths",
    **dict.fromkeys((f"compose-spec:13-merge-{number}" for number in range(6)), _KEYS),
    "compose-spec:13-merge-12": "its services are indented as if there were none",
    "compose-spec:13-merge-15": "its services are indented as if there were none",
    "compose-spec:build-3": "it has two services of one name",
    "compose-spec:build-5": "it builds for another platform than it runs on",
    "compose-spec:deploy-0": "both its containers want the same port of one host",
    "compose-spec:develop-1": "its image is called ...",
}
"""The specification's examples that nobody can bring up on one host of this kind, and why."""
IMAGES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("busybox:latest", "busybox:1.35.0", "alpine:latest", "alpine:3.12", "alpine:3.13", "alpine:3.13.12",
         "alpine:3.14", "alpine:3.15", "bash:latest", "debian:bookworm-slim", "python:3.11-slim",
         "nopush/podman-compose-test:latest", "hello-world:latest", "alpine/curl:latest"), _SHELL),
    **dict.fromkeys(
        ("nginx:latest", "nginx:alpine", "redis:alpine", "mariadb:latest", "gtardif/sentences-web:latest",
         "gtardif/sentences-db:latest", "gtardif/sentences-api:latest", "rabbitmq:3", "postgres:9.6",
         "memcached:alpine", "bitnami/redis-cluster:6.2", "postgres:latest", "postgres:16", "redis:latest",
         "example/app:latest", "example/backend:latest", "example/database:latest", "example/monitoring:latest",
         "example/proxy:latest", "example/webapp:latest", "another-image:latest", "app:latest",
         "functions/alpine:health", "functions/nodeinfo:latest",
         "backup-service:latest", "foo:latest", "my-image:latest", "myapp:latest", "myimage:latest"), _SERVER),
}  # fmt: skip
"""The images there are, and what each runs by itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a side made of a fixture."""

    up: bool
    state: State
    said: str = ""  # why it did not come up, came up anew, or did not go down


def converge(fixtures: Sequence[Fixture], scratch: Path) -> Outcome:
    """Bring every fixture up and down by both sides; print those of which they make something else."""
    theirs = _peers_results(fixtures, scratch / "docker")
    ours = play(sides.wharf(_TOP / ".venv/bin", scratch / "wharf"), _wharf, fixtures, scratch / "wharf")
    missing: list[str] = []
    skipped = 0
    for fixture in fixtures:
        mine, other = ours[fixture.name], theirs[fixture.name]
        said = "" if fixture.name in _MEANT else None if fixture.name in _NOBODY else verdict(mine, other)
        if said is None and fixture.name not in _NOBODY and fixture.suite.name == _EXAMPLES:
            said = f"neither brings it up: {mine.said}"
        skipped += said is None
        if said:
            missing.append(fixture.name)
            sys.stdout.write(f"compose-converge: {fixture.name}: {said}\n")
    return Outcome(len(fixtures) - skipped - len(missing), len(missing), skipped, tuple(missing))


def verdict(mine: Result, other: Result) -> str | None:
    """Return in words what is wrong, nothing when all is well, None when neither side can bring it up."""
    if not mine.up and not other.up:
        return None
    if not other.up and _TOO_OLD.search(other.said):
        return mine.said
    if not mine.up or not other.up:
        return f"only {'docker compose' if other.up else 'wharf compose'} brings it up: {mine.said or other.said}"
    said = mine.said if mine.said and not other.said else ""
    return "; ".join([*differences(mine.state, other.state), *([said] if said else [])])


def play(
    engine: Engine, compose: Callable[[Side], list[str]], fixtures: Sequence[Fixture], root: Path
) -> dict[str, Result]:
    """Bring each fixture up and down on an engine, one after the other, each in a copy of its suite."""
    with sides.running(engine, root, "docker", {}) as side:
        plugin = Path(side.environment["DOCKER_CONFIG"]) / "cli-plugins/docker-model"
        plugin.parent.mkdir()
        plugin.write_text(_MODEL_RUNNER)
        plugin.chmod(0o755)
        for name, command in IMAGES.items():
            _load(side, name, command)
        return {fixture.name: _one(side, compose(side), fixture) for fixture in fixtures}


def _one(side: Side, compose: list[str], fixture: Fixture) -> Result:
    with _copied(fixture) as path:
        environment = {
            **{name: side.environment[name] for name in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG")},
            "HOME": str(_PLACE / path.relative_to(_PLACE).parts[0]),  # an example may speak of ~/
            "DOCKER_BUILDKIT": "0",
        }

        def run(*words: str) -> str:
            """Run a command of the project; return what it says when it fails."""
            files = ["-f", str(path), *(["-f", str(path.with_name(fixture.more))] if fixture.more else [])]
            command = [*compose, "--ansi", "never", "-p", _PROJECT, *files, *words]
            try:
                done = subprocess.run(
                    command, cwd=path.parent, env=environment, stdin=subprocess.DEVNULL,
                    capture_output=True, text=True, errors="replace", timeout=_UP_S, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return f"{words[0]} does not end"
            return f"{words[0]}: {done.stderr.strip()[-300:] or done.returncode}" if done.returncode else ""

        with Connection(side.socket) as connection:
            for kind, name in fixture.external:
                connection.json("POST", f"/{kind}/create", {"Name": name})
            said = run("up", "-d")
            state = look(connection, _PROJECT) if not said else {}
            before = _ids(connection)
            again = "" if said else run("up", "-d")
            if not said and not again and _ids(connection) != before:
                again = "a second up makes containers anew"
            down = run("down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "0")
            left = look(connection, _PROJECT)
            _clear(connection)
    wrong = [again, down, f"down leaves {', '.join(left)}" if left else ""]
    return Result(not said, state, said or "; ".join(one for one in wrong if one))


@contextmanager
def _copied(fixture: Fixture) -> Iterator[Path]:
    """Yield the fixture's file in a copy of its suite, which may be written to."""
    _PLACE.mkdir(mode=0o700)
    try:
        top = fixture.path.relative_to(fixture.suite).parts[0]
        # Whatever is beside the file within the suite's first folder: includes and contexts reach no further.
        if (fixture.suite / top).is_dir():
            shutil.copytree(fixture.suite / top, _PLACE / top, symlinks=True, copy_function=_copy)
        else:
            _copy(fixture.suite / top, _PLACE / top)
        subprocess.run(["chmod", "-R", "u+w,a+rX", _PLACE], check=True)
        yield _PLACE / fixture.path.relative_to(fixture.suite)
    finally:
        shutil.rmtree(_PLACE)


def _copy(source: str | Path, target: str | Path) -> None:
    shutil.copyfile(source, target, follow_symlinks=False)


def _ids(connection: Connection) -> set[str]:
    return {one["Id"] for one in connection.json("GET", "/containers/json?all=1")}


def _clear(connection: Connection) -> None:
    """Remove what a fixture left, so that the next one begins with nothing."""
    deadline = time.monotonic() + _UP_S
    while found := connection.json("GET", "/containers/json?all=1"):
        try:
            connection.request("DELETE", f"/containers/{found[0]['Id']}?force=1&v=1")
        except UnexpectedAnswer:  # its removal is under way already
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    for kind, key in (("networks", "Id"), ("volumes", "Name")):
        found = connection.json("GET", f"/{kind}")
        for one in found if kind == "networks" else found["Volumes"] or []:
            if one["Name"] not in {"bridge", "host", "none"}:
                connection.request("DELETE", f"/{kind}/{one[key]}")


def _load(side: Side, name: str, command: Sequence[str]) -> None:
    repository, _, tag = name.partition(":")
    changes = quote(f"CMD {json.dumps(command)}")
    with Connection(side.socket) as connection:
        path = f"/images/create?fromSrc=-&repo={repository}&tag={tag}&changes={changes}"
        connection.request("POST", path, _layer(), "application/x-tar")


def _layer() -> bytes:
    """Return busybox with what stands for other images' servers: programs that wait to be ended."""
    out = io.BytesIO(alpine(busybox.layer()))
    with tarfile.open(fileobj=out, mode="a") as tar:
        programs = {f"usr/bin/{name}": _SCRIPT for name in _SERVERS} | dict.fromkeys(_HOOKS, b"#!/bin/sh\n")
        for name, text in programs.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text))
        bash = tarfile.TarInfo("bin/bash")
        bash.type, bash.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(bash)
    return out.getvalue()


def _wharf(side: Side) -> list[str]:
    return [*side.clients[1], "compose"]


def _peers_results(fixtures: Sequence[Fixture], root: Path) -> dict[str, Result]:
    """Return what the peer makes of the fixtures: from the last time, as far as it is the same peer."""
    compose = compose_config.peer(2)
    version = "; ".join(_version(command) for command in ([*compose, "version", "--short"], ["dockerd", "--version"]))
    version += f"; {_given()}"
    known = json.loads(_CACHE.read_text()) if _CACHE.exists() else {}
    results = dict(known["results"]) if known.get("version") == version else {}
    wanted = [fixture for fixture in fixtures if fixture.name not in results]
    if wanted:
        found = play(sides.dockerd(root), lambda _: compose, wanted, root)
        results.update({name: asdict(result) for name, result in found.items()})
        _CACHE.write_text(json.dumps({"version": version, "results": results}, indent=1) + "\n")
    return {fixture.name: Result(**results[fixture.name]) for fixture in fixtures}


def _specification(scratch: Path) -> Outcome:
    return converge(completed(of_specification(scratch / _EXAMPLES)), scratch)


def _given() -> str:
    """Return a digest of the images and of what completes examples."""
    made = json.dumps(IMAGES) + Path(compose_stand_ins.__file__).read_text()
    return hashlib.sha256(made.encode()).hexdigest()[:12]


def _version(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


SUITES = (
    Suite("compose-converge", 94, lambda scratch: converge(of_docker_compose(), scratch)),
    Suite("compose-converge-spec", 79, _specification),
    Suite("compose-converge-podman", 108, lambda scratch: converge(of_podman_compose(), scratch)),
)
