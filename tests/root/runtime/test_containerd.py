"""containerd's shim with wharf-runtime in the place of runc, by ctr."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_podman import remove_group, wharf_runtime

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(shutil.which(name) for name in ("containerd", "ctr", "containerd-shim-runc-v2")),
        reason="containerd is not installed",
    ),
]

CONFIGURATION = """\
version = 2
root = "{path}/root"
state = "{path}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{path}/containerd.sock"
"""


class Ctr:
    def __init__(self, bundle: Bundle) -> None:
        self._address = f"{bundle.path}/containerd.sock"
        self._run = ["--runc-binary", str(wharf_runtime(bundle.path)), "--rootfs", str(bundle.lower)]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ctr", "--address", self._address, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run(self, option: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self("run", option, *self._run, *words)

    def status(self) -> str:
        return self("task", "list").stdout.splitlines()[1].split()[2]


@pytest.fixture
def ctr(bundle: Bundle) -> Iterator[Ctr]:
    config = bundle.path / "config.toml"
    config.write_text(CONFIGURATION.format(path=bundle.path))
    with open(bundle.path / "log", "wb") as log:
        daemon = subprocess.Popen(["containerd", "--config", str(config)], stdout=log, stderr=log)
    command = Ctr(bundle)
    deadline = time.monotonic() + 60
    while command("version").returncode:
        assert time.monotonic() < deadline, Path(log.name).read_text()
        time.sleep(0.05)
    yield command
    daemon.terminate()
    daemon.wait(60)
    remove_group("default")


def test_a_task_runs_and_its_exit_code_comes_back(ctr: Ctr) -> None:
    done = ctr.run("--rm", "t1", "sh", "-c", "echo hello; exit 3")

    assert (done.returncode, done.stdout) == (3, "hello\n")


def test_a_program_that_is_not_there_is_told_as_such(ctr: Ctr) -> None:
    done = ctr.run("--rm", "t1", "nonexistent")

    assert done.returncode == 1
    assert "OCI runtime create failed" in done.stderr
    assert "executable file not found in $PATH" in done.stderr


def test_a_task_lives_through_exec_pause_and_removal(ctr: Ctr) -> None:
    assert ctr.run("--detach", "t1", "sleep", "100").returncode == 0
    assert ctr("task", "exec", "--exec-id", "e1", "t1", "cat", "/proc/1/comm").stdout == "sleep\n"
    assert ctr("task", "pause", "t1").returncode == 0
    assert ctr.status() == "PAUSED"
    assert ctr("task", "resume", "t1").returncode == 0
    assert "pids" in ctr("task", "metrics", "t1").stdout
    assert ctr("task", "delete", "--force", "t1").returncode in (0, 137)
    assert ctr("container", "delete", "t1").returncode == 0

    assert ctr("task", "list", "--quiet").stdout == ""
