"""What only a command line asks for: descriptors that stay open, a root that is moved, the caller's keyring."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.root.runtime.test_command import PROGRAM, Command, command

__all__ = ["command"]  # the fixture

pytestmark = pytest.mark.root


def run(command: Command, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a container with descriptor 3 open."""
    runtime = [sys.executable, "-B", "-I", "-c", PROGRAM, "--root", str(command.root), "run", *options, "c1"]
    return subprocess.run(
        ["sh", "-c", 'exec 3</dev/null; exec "$@"', "sh", *runtime],
        cwd=command.bundle.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **more},
    )


def test_descriptors_are_preserved_only_when_asked(command: Command) -> None:
    command.write(["sh", "-c", "ls /proc/self/fd"])

    assert run(command).stdout.split() == ["0", "1", "2", "3"]  # 3 is that of ls on the folder
    assert run(command, "--preserve-fds", "1").stdout.split() == ["0", "1", "2", "3", "4"]
    assert "is to be preserved, but it is not open" in run(command, "--preserve-fds", "100").stderr


def test_sockets_to_listen_on_come_with_their_number(command: Command) -> None:
    command.write(["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID"])

    assert run(command, LISTEN_FDS="1").stdout == "1 1\n"


def test_the_root_can_be_moved_instead(command: Command) -> None:
    command.write(["sh", "-c", "ls /; cat /proc/mounts | head -n 1"])

    done = run(command, "--no-pivot")

    assert (done.returncode, done.stdout.split()[:4]) == (0, ["bin", "dev", "etc", "proc"])


def test_a_container_is_kept_when_asked(command: Command) -> None:
    command.write(["true"])

    assert run(command, "--keep").returncode == 0
    assert command.status("c1") == "stopped"
    assert command("delete", "c1").returncode == 0
