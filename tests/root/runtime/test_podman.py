"""podman with --runtime wharf-runtime: it runs, executes in, pauses and removes containers."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_command import SOURCE
from tests.root.wharfd import until

from wharf.runtime.commands.checkpoint import reason

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("podman") and shutil.which("conmon")), reason="podman is not installed"),
]


def wharf_runtime(folder: Path) -> Path:
    """Write the command as a program of one file, for whoever takes only a path."""
    program = folder / "wharf-runtime"
    program.write_text(
        f"#!{sys.executable} -BI\nimport sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "from wharf.runtime.cli import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    return program


def remove_group(name: str) -> None:
    """Remove a control group that an engine has made for its containers and leaves behind, once it is empty."""
    for top in Path("/sys/fs/cgroup").glob(f"*/{name}"):
        for folder in sorted((p for p in [top, *top.rglob("*")] if p.is_dir()), reverse=True):
            with contextlib.suppress(OSError):  # another engine's containers are in it
                folder.rmdir()


def _processes_that_name(path: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found += [process.parent.name] if path in process.read_text(errors="replace") else []
    return found


class Podman:
    def __init__(self, bundle: Bundle, path: str) -> None:
        self.rootfs = bundle.lower
        self._options = [
            "podman", "--root", f"{path}/data", "--runroot", f"{path}/run", "--tmpdir", f"{path}/tmp",
            "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "overlay",
            "--network-config-dir", f"{path}/networks", "--runtime", str(wharf_runtime(bundle.path)),
        ]  # fmt: skip

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._options, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a container: options, then the command after "--"."""
        at = words.index("--")
        return self("run", "--network", "none", *words[:at], "--rootfs", str(self.rootfs), *words[at + 1 :])


@pytest.fixture
def podman(bundle: Bundle) -> Iterator[Podman]:
    with tempfile.TemporaryDirectory(prefix="wharf") as path:  # podman takes no long one
        engine = Podman(bundle, path)
        yield engine
        engine("rm", "--all", "--force")
        until(lambda: not _processes_that_name(path))  # what cleans up behind a container's end mounts once more
        for mounted in Path("/proc/self/mounts").read_text().splitlines():  # its storage stays mounted on itself
            point = mounted.split()[1]
            if point.startswith(f"{path}/"):
                subprocess.run(["umount", "--lazy", point], check=True)
    remove_group("libpod_parent")


def test_a_container_runs_and_its_exit_code_comes_back(podman: Podman) -> None:
    done = podman.run("--rm", "--memory", "64m", "--user", "1000", "--read-only", "--", "sh", "-c", "id -u; exit 7")

    assert (done.returncode, done.stdout) == (7, "1000\n")


def test_a_program_that_is_not_there_is_told_as_such(podman: Podman) -> None:
    done = podman.run("--rm", "--", "nonexistent")

    assert done.returncode == 127
    assert "executable file not found in $PATH" in done.stderr


def test_a_container_lives_through_exec_pause_and_removal(podman: Podman) -> None:
    assert podman.run("--detach", "--name", "c1", "--", "sleep", "100").returncode == 0
    assert podman("exec", "c1", "cat", "/proc/1/comm").stdout == "sleep\n"
    assert podman("exec", "--tty", "c1", "tty").stdout == "/dev/pts/0\n"
    assert podman("pause", "c1").returncode == 0
    assert podman("inspect", "--format", "{{.State.Status}}", "c1").stdout == "paused\n"
    assert podman("unpause", "c1").returncode == 0
    assert podman("rm", "--force", "--time", "0", "c1").returncode == 0

    assert podman("ps", "--all", "--quiet").stdout == ""


def test_a_terminal_is_handed_over(podman: Podman) -> None:
    done = podman.run("--rm", "--tty", "--", "tty")

    assert (done.returncode, done.stdout) == (0, "/dev/pts/0\n")


_WHY = reason()


@pytest.mark.skipif(bool(_WHY), reason=f"checkpoint and restore: {_WHY}")
def test_a_container_goes_on_under_another_name(podman: Podman, tmp_path: Path) -> None:
    image, saved = str(tmp_path / "image.tar"), str(tmp_path / "saved.tar")
    subprocess.run(["tar", "-C", str(podman.rootfs), "-cf", image, "."], check=True)
    assert podman("import", image, "localhost/box").returncode == 0
    count = "i=0; while :; do i=$((i+1)); echo $i > /new; mv /new /count; sleep 0.1; done"
    assert (
        podman("run", "--detach", "--name", "c1", "--network", "none", "localhost/box", "sh", "-c", count).returncode
        == 0
    )
    until(lambda: podman("exec", "c1", "cat", "/count").stdout != "")

    for words in (
        ["checkpoint", "--compress", "none", "--export", saved, "c1"],
        ["restore", "--import", saved, "--name", "c2"],
    ):
        done = podman("container", *words)
        assert done.returncode == 0, done.stderr

    before = podman("exec", "c2", "cat", "/count").stdout
    assert before
    until(lambda: podman("exec", "c2", "cat", "/count").stdout != before)
    assert podman("top", "c2", "pid").stdout.split()[:2] == ["PID", "1"]  # it is where podman has asked for it
    assert podman("rm", "--force", "--time", "0", "c2").returncode == 0
