"""run, and what it does not need that create does; what is left when it ends."""

from __future__ import annotations

import json
import os
import signal

import pytest
from tests.root import groups
from tests.root.runtime.test_command import Command, command

pytestmark = pytest.mark.root
__all__ = ["command"]


def test_a_detached_run_is_running_at_once_and_waits_nowhere(command: Command) -> None:
    command.write(["sleep", "100"])

    assert command.create("--detach", "box", verb="run").returncode == 0

    state = json.loads(command("state", "box").stdout)
    assert (state["status"], sorted(os.listdir(command.root / "box"))) == ("running", ["config.json", "state.json"])
    assert command("delete", "--force", "box").returncode == 0
    assert (command.reap(), groups.folders(command.bundle.path.name)) == (-signal.SIGKILL, [])


def test_a_run_whose_program_is_missing_says_so_and_leaves_nothing(command: Command) -> None:
    command.write(["nonsense"])

    done = command("run", "box")

    assert (done.returncode, "executable file not found in $PATH" in done.stderr) == (1, True), done
    assert groups.folders(command.bundle.path.name) == []


def test_what_outlives_the_first_process_is_ended_with_the_control_group(command: Command) -> None:
    command.write(["sh", "-c", "sleep 1000 > /dev/null 2>&1 & echo $! > /left"])
    path = command.bundle.path / "config.json"
    spec = json.loads(path.read_text())
    spec["linux"]["namespaces"] = [{"type": kind} for kind in ("mount", "uts")]
    path.write_text(json.dumps(spec))

    assert command("run", "--no-subreaper", "box").returncode == 0

    left = int((command.bundle.lower / "left").read_text())
    assert os.waitstatus_to_exitcode(os.waitpid(left, 0)[1]) == -signal.SIGKILL
    assert groups.folders(command.bundle.path.name) == []
