"""docker-py's integration suite, as its authors wrote it: against a wharfd of its own, or a dockerd for the baseline.

``docker-py`` is the suite of the last release whose source distribution has it, ``docker-py-main`` that of the
checkout which ``DOCKER_PY`` names. Either is run whole: by a unix socket, by TCP what needs it, and through SSH. The
images that it wants are our own busybox under other names; a mirror on loopback has them too
(:mod:`conformance.mirror`). :data:`LEFT_OUT` are the nouns of swarms and plugins.

A baseline has a line for each test that a dockerd passes: its name, and the versions that pass it.
``python -m conformance.docker_py [main]`` enters in it what the dockerd passes that ``PATH`` has.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path

from bench import sides
from bench.raw_http import Connection
from bench.sides import Engine, Side

from conformance import docker_py_client, junit, mirror, sshd
from conformance.suites import Outcome, Suite, Unavailable
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
_IMAGES = ("alpine:3.10", "alpine:latest", "busybox:latest")
_MIRRORED = (*_IMAGES, "hello-world:latest")
_TCP = "tcp://127.0.0.1:2375"  # in the side's own network namespace, as the mirror's and sshd's
_OVER_TCP = "tests/integration/api_container_test.py::AttachContainerTest::test_run_container_reading_socket_ws"
# Propagation is tested of a mount below a shared one, and some tests are of what is experimental.
_SHARED = ("sh", "-c", 'mount --make-rshared / && exec "$@"', "sh")
_TEST_S, _ALL_S = 120, 3600

LEFT_OUT: Mapping[str, str] = {
    "api_config_test.py": "configs are a swarm's",
    "api_plugin_test.py": "it installs a plugin from Docker Hub",
    "api_secret_test.py": "secrets are a swarm's",
    "api_service_test.py": "services are a swarm's",
    "api_swarm_test.py": "swarms",
    "models_nodes_test.py": "nodes are a swarm's",
    "models_services_test.py": "services are a swarm's",
    "models_swarm_test.py": "swarms",
    "test_create_inspect_network_with_scope": "its network is a swarm's",
    "test_create_network_attachable": "likewise",
    "test_create_network_ingress": "likewise",
}
"""What is not run, a file or a test a line, and why."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of the suite: where it comes from, what it asks for, and what a dockerd passes of it."""

    name: str
    find: Callable[[], Path]
    api_version: str
    baseline: Path


def _checkout() -> Path:
    if folder := os.environ.get("DOCKER_PY"):
        return Path(folder)
    raise Unavailable("DOCKER_PY names no checkout of docker-py")


RELEASE = Edition(
    "docker-py", docker_py_client.release, "1.41", Path(__file__).with_name("docker_py_baseline.txt")
)  # at the newest version that Debian's dockerd speaks
MAIN = Edition("docker-py-main", _checkout, "1.51", Path(__file__).with_name("docker_py_main_baseline.txt"))


def baseline(edition: Edition) -> dict[str, list[str]]:
    """Return which versions of dockerd pass each test that any passes."""
    text = edition.baseline.read_text() if edition.baseline.exists() else ""
    return {words[0]: words[1:] for words in map(str.split, text.splitlines())}


def entered(known: Mapping[str, Sequence[str]], version: str, passed: Sequence[str]) -> str:
    """Return a baseline's text once a version's tests are entered. Pure.

    What a version has passed once it can pass: some tests race with dockerd on a busy machine.
    """
    rows = {test: {*known.get(test, ()), *([version] if test in passed else [])} for test in {*known, *passed}}
    return "".join(f"{test} {' '.join(sorted(versions))}\n" for test, versions in sorted(rows.items()))


def run(edition: Edition, scratch: Path) -> Outcome:
    """Run the suite against Wharf and compare with what any dockerd passes."""
    engine = sides.wharf(_TOP / ".venv/bin", scratch / "side")
    found = _run(edition, replace(engine, command=(*engine.command, "--insecure-tcp")), scratch)
    return junit.outcome(found, baseline(edition))


def run_peer(edition: Edition, scratch: Path) -> None:
    """Run the suite against the dockerd that is in ``PATH`` and enter in the baseline what it passes."""
    version = subprocess.run(("dockerd", "--version"), capture_output=True, text=True, check=True).stdout.split()[2]
    engine = sides.dockerd(scratch / "side")
    found = _run(edition, replace(engine, command=(*engine.command, "--tls=false")), scratch)
    passed = [test for test, verdict in found.items() if verdict == "passed"]
    edition.baseline.write_text(entered(baseline(edition), ".".join(version.split(".")[:2]), passed))


def _run(edition: Edition, engine: Engine, scratch: Path) -> dict[str, junit.Verdict]:
    """Return each test's verdict; ``build/<edition>.<engine>.<way to it>.xml`` have the details."""
    suite, client = edition.find(), docker_py_client.prepare(scratch / "client")
    layer = alpine(busybox.layer())
    options = ("--registry-mirror", f"http://{mirror.ADDRESS}", "--experimental", "--host", _TCP)
    engine = replace(engine, command=(*_SHARED, *engine.command, *options))
    found: dict[str, junit.Verdict] = {}
    with ExitStack() as stack:
        side = stack.enter_context(sides.running(engine, scratch / "side", "docker", dict.fromkeys(_IMAGES, layer)))
        stack.callback(_clear, side)
        mirror.write(scratch / "mirror", dict.fromkeys(_MIRRORED, layer))
        stack.enter_context(mirror.serving(scratch / "mirror", side.pid))
        server = stack.enter_context(sshd.serving(scratch / "sshd", side.pid, f"unix://{side.socket}"))
        environment = {
            **server.for_clients(client.environment),
            "PYTHONPATH": str(suite),
            "DOCKER_CONFIG": side.environment["DOCKER_CONFIG"],
            "DOCKER_TEST_API_VERSION": edition.api_version,
        }
        ways = {
            "unix": (f"unix://{side.socket}", ("tests/integration", f"--deselect={_OVER_TCP}")),
            "tcp": (_TCP, (_OVER_TCP,)),
            "ssh": (server.host, ("tests/ssh",)),
        }
        for way, (host, tests) in ways.items():
            report = _TOP / f"build/{edition.name}.{engine.name}.{way}.xml"
            _pytest(side, (client.python, suite, report), tests, {**environment, "DOCKER_HOST": host})
            found |= junit.verdicts(report.read_text())
    return found


def alpine(layer: bytes) -> bytes:
    """Return busybox's layer with the user, the groups and the folder that tests expect of Alpine's image."""
    added = {
        "etc/passwd": b"postgres:x:70:70::/var/lib/postgresql:/bin/sh\n",
        "etc/group": b"mail:x:8:\npostgres:x:70:\n",
    }
    out = BytesIO()
    with tarfile.open(fileobj=BytesIO(layer)) as old, tarfile.open(fileobj=out, mode="w") as tar:
        for entry in old:
            content = old.extractfile(entry).read() if entry.isreg() else b""  # type: ignore[union-attr]
            content += added.get(entry.name, b"")
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
        folder = tarfile.TarInfo("var/opt")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
    return out.getvalue()


def _pytest(side: Side, what: tuple[Path, Path, Path], tests: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run tests where the daemon is, so that they reach what it publishes; their own failures are no error."""
    python, suite, report = what
    report.unlink(missing_ok=True)
    files = [name for name in LEFT_OUT if name.endswith(".py")]
    names = [name for name in LEFT_OUT if not name.endswith(".py")]
    command = (
        # Of some tests a container that was just started must have written something: clients come last.
        "nsenter", "--target", str(side.pid), "--net", "--mount", f"--wd={suite}", "nice", "-n", "15",
        str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", str(_TEST_S),
        "--junitxml", str(report), *(f"--ignore=tests/integration/{name}" for name in files),
        "-k", " and ".join(f"not {name}" for name in names),
        *tests, *os.environ.get("DOCKER_PY_OPTIONS", "").split(),
    )  # fmt: skip
    done = subprocess.run(command, env=environment, timeout=_ALL_S, check=False)
    if done.returncode not in (0, 1):  # pytest's own: all passed, some failed
        raise sides.SideFailed(f"pytest did not get through docker-py's suite: exit code {done.returncode}")


def _clear(side: Side) -> None:
    """Remove the containers that tests have left: they would outlive the daemon."""
    with Connection(side.socket) as connection:
        for container in connection.json("GET", "/containers/json?all=1"):
            connection.request("DELETE", f"/containers/{container['Id']}?force=1&v=1")


SUITES = tuple(Suite(each.name, len(baseline(each)), partial(run, each)) for each in (RELEASE, MAIN))

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="wharf-conformance.") as own:
        run_peer(MAIN if sys.argv[1:] == ["main"] else RELEASE, Path(own))
