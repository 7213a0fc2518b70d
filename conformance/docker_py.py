"""docker-py's integration suite, as its authors wrote it: against a wharfd of its own, or a dockerd for the baseline.

The suite comes with docker-py's source distribution, of the last release that has it in there; ``DOCKER_PY`` names a
checkout to use instead. The images that it wants are our own busybox under other names; a mirror on loopback has them
too (:mod:`conformance.mirror`). Swarm's nouns and plugins are left out. ``python -m conformance.docker_py`` runs it
against Debian's dockerd instead, and writes the baseline anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from bench import sides
from bench.raw_http import Connection
from bench.sides import Engine, Side

from conformance import junit, mirror
from conformance.suites import Outcome, Suite
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
BASELINE = Path(__file__).with_name("docker_py_baseline.txt")
_BUILD = _TOP / "build/docker-py"
_RELEASE = "docker==7.0.0"  # the releases after it leave their tests out of the source distribution
_REQUIREMENTS = (
    "paramiko==3.4.0", "pytest==7.4.2", "pytest-timeout==2.1.0", "requests==2.31.0", "urllib3==2.0.7",
    "websocket-client==1.7.0",
)  # fmt: skip
_API_VERSION = "1.41"  # the newest that the peer speaks
_IMAGES = ("alpine:3.10", "alpine:latest", "busybox:latest")
_MIRRORED = (*_IMAGES, "hello-world:latest")
_LEFT_OUT = (
    "api_config_test.py", "api_plugin_test.py", "api_secret_test.py", "api_service_test.py", "api_swarm_test.py",
    "models_nodes_test.py", "models_services_test.py", "models_swarm_test.py", "credentials",
)  # fmt: skip
_OF_SWARMS = (
    "test_create_inspect_network_with_scope", "test_create_network_attachable", "test_create_network_ingress",
)  # fmt: skip
_TEST_S, _ALL_S = 120, 3600


def run(scratch: Path) -> Outcome:
    """Run the suite against Wharf and compare with what the peer passes."""
    peer_passes = BASELINE.read_text().split()
    return junit.outcome(_run(sides.wharf(_TOP / ".venv/bin", scratch), scratch), peer_passes)


def run_peer(scratch: Path) -> None:
    """Run the suite against Debian's dockerd and write the baseline anew."""
    found = _run(sides.dockerd(scratch), scratch)
    passed = sorted(test for test, verdict in found.items() if verdict == "passed")
    BASELINE.write_text("".join(f"{test}\n" for test in passed))


def _run(engine: Engine, scratch: Path) -> dict[str, junit.Verdict]:
    """Return each test's verdict; ``build/docker-py.<engine>.xml`` has the details."""
    suite, python = _suite(), _environment()
    layer = alpine(busybox.layer())
    engine = replace(engine, command=(*engine.command, "--registry-mirror", f"http://{mirror.ADDRESS}"))
    report = _TOP / f"build/docker-py.{engine.name}.xml"
    report.unlink(missing_ok=True)
    with sides.running(engine, scratch, "docker", dict.fromkeys(_IMAGES, layer)) as side:
        folder = scratch / "mirror"
        mirror.write(folder, dict.fromkeys(_MIRRORED, layer))
        with mirror.serving(folder, side.pid):
            _pytest(side, python, suite, report)
        _clear(side)
    return junit.verdicts(report.read_text())


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


def _suite() -> Path:
    """Return the folder that holds docker-py's tests; fetched if need be."""
    if checkout := os.environ.get("DOCKER_PY"):
        return Path(checkout)
    folder = _BUILD / "suite"
    if not folder.exists():
        shutil.rmtree(_BUILD / "fetched", ignore_errors=True)
        command = (
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            "docker",
            "--dest",
            _BUILD / "fetched",
            _RELEASE,
        )
        subprocess.run((sys.executable, "-m", "pip", *command), check=True)
        [archive] = (_BUILD / "fetched").glob("*.tar.gz")
        shutil.unpack_archive(archive, _BUILD / "fetched", filter="data")
        [found] = (path for path in (_BUILD / "fetched").iterdir() if path.is_dir())
        found.rename(folder)
    return folder


def _environment() -> Path:
    """Return the interpreter of a virtual environment with what docker-py and its tests need; made if need be."""
    folder = _BUILD / "venv"
    if not (stamp := folder / "complete").exists():
        subprocess.run((sys.executable, "-m", "venv", "--clear", folder), check=True)
        subprocess.run((folder / "bin/pip", "install", "--quiet", *_REQUIREMENTS), check=True)
        stamp.touch()
    return folder / "bin/python"


def _pytest(side: Side, python: Path, suite: Path, report: Path) -> None:
    """Run the tests where the daemon is, so that they reach what it publishes; their own failures are no error."""
    tests = suite / "tests/integration"
    command = (
        # Of some tests a container that was just started must have written something: clients come last.
        "nsenter", "--target", str(side.pid), "--net", "--mount", f"--wd={suite}", "nice", "-n", "15",
        str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", str(_TEST_S),
        "--junitxml", str(report), *(f"--ignore={tests / name}" for name in _LEFT_OUT),
        "-k", " and ".join(f"not {name}" for name in _OF_SWARMS),
        *os.environ.get("DOCKER_PY_TESTS", str(tests)).split(),
    )  # fmt: skip
    environment = {
        **side.environment,
        "PYTHONPATH": str(suite),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": side.environment["DOCKER_CONFIG"],
        "DOCKER_TEST_API_VERSION": os.environ.get("DOCKER_TEST_API_VERSION", _API_VERSION),
    }
    done = subprocess.run(command, env=environment, timeout=_ALL_S, check=False)
    if done.returncode not in (0, 1):  # pytest's own: all passed, some failed
        raise sides.SideFailed(f"pytest did not get through docker-py's suite: exit code {done.returncode}")


def _clear(side: Side) -> None:
    """Remove the containers that tests have left: they would outlive the daemon."""
    with Connection(side.socket) as connection:
        for container in connection.json("GET", "/containers/json?all=1"):
            connection.request("DELETE", f"/containers/{container['Id']}?force=1&v=1")


SUITE = Suite("docker-py", len(BASELINE.read_text().split()), run)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="wharf-conformance.") as folder:
        run_peer(Path(folder))
