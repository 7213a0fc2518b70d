"""dockerd with wharf-runtime as its default runtime, by the docker command."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root import groups
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_podman import wharf_runtime

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(shutil.which(name) for name in ("dockerd", "docker", "containerd", "containerd-shim-runc-v2")),
        reason="dockerd is not installed",
    ),
]


class Docker:
    def __init__(self, path: str) -> None:
        self.address = f"unix://{path}/sock"

    def __call__(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["docker", "--host", self.address, *words],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            env={name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")},
        )
        return subprocess.CompletedProcess([], done.returncode, done.stdout.decode(), done.stderr.decode())

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self("run", "--network", "none", *words)


@pytest.fixture
def docker(bundle: Bundle) -> Iterator[Docker]:
    with tempfile.TemporaryDirectory(prefix="wharf") as path:  # sockets below it have to fit
        options = [
            "--data-root", f"{path}/data", "--exec-root", f"{path}/exec", "--pidfile", f"{path}/pid",
            "--host", f"unix://{path}/sock", "--bridge", "none", "--iptables=false", "--ip6tables=false",
            "--add-runtime", f"wharf={wharf_runtime(bundle.path)}", "--default-runtime", "wharf",
            "--config-file", f"{path}/none.json", "--cgroup-parent", f"{groups.PARENT}/{bundle.path.name}",
        ]  # fmt: skip
        Path(f"{path}/none.json").write_text("{}")
        with open(f"{path}/log", "wb") as log:
            daemon = subprocess.Popen(["dockerd", *options], stdout=log, stderr=log)
        command = Docker(path)
        deadline = time.monotonic() + 60
        while command("version").returncode:
            assert time.monotonic() < deadline, Path(f"{path}/log").read_text()
            time.sleep(0.1)
        tree = subprocess.run(["tar", "-C", str(bundle.lower), "-c", "."], capture_output=True, check=True).stdout
        assert command("import", "-", "box", stdin=tree).returncode == 0
        yield command
        daemon.terminate()
        daemon.wait(60)
    for group in groups.folders(bundle.path.name):
        group.rmdir()


def test_a_container_runs_confined_and_its_exit_code_comes_back(docker: Docker) -> None:
    script = "id -u; grep Seccomp: /proc/self/status; exit 7"

    done = docker.run(
        "--rm", "--init", "--cap-drop", "all", "--user", "1000", "--read-only", "box", "sh", "-c", script
    )

    assert (done.returncode, done.stdout) == (7, "1000\nSeccomp:\t2\n")


def test_a_program_that_is_not_there_is_told_as_such(docker: Docker) -> None:
    done = docker.run("--rm", "box", "nonexistent")

    assert done.returncode == 127
    assert 'exec: "nonexistent": executable file not found in $PATH' in done.stderr


def test_a_container_lives_through_exec_pause_update_and_removal(docker: Docker) -> None:
    assert docker.run("--detach", "--name", "c1", "--memory", "64m", "box", "sleep", "100").returncode == 0
    assert docker("exec", "c1", "cat", "/proc/1/comm").stdout == "sleep\n"
    assert docker("pause", "c1").returncode == 0
    assert docker("inspect", "--format", "{{.State.Status}}", "c1").stdout == "paused\n"
    assert docker("unpause", "c1").returncode == 0
    assert docker("update", "--memory", "96m", "--memory-swap", "200m", "c1").returncode == 0
    assert docker("exec", "--tty", "c1", "tty").stdout == "/dev/pts/0\r\n"
    assert docker("restart", "--time", "0", "c1").returncode == 0
    assert docker("rm", "--force", "c1").returncode == 0

    assert docker("ps", "--all", "--quiet").stdout == ""
