"""What can be done to a container that runs: pause, resume, update, measure, look at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.root.runtime.test_command import Command, command

__all__ = ["command"]  # the fixture

pytestmark = pytest.mark.root


@pytest.fixture
def running(command: Command) -> Command:
    command.write(["sleep", "100"])
    command.create("c1")
    command("start", "c1")
    return command


def end(command: Command) -> None:
    command("delete", "--force", "c1")
    assert command.reap() == -9


def test_a_container_is_paused_and_goes_on(running: Command) -> None:
    assert running("resume", "c1").returncode == 1

    assert running("pause", "c1").returncode == 0
    assert running.status("c1") == "paused"
    assert "cannot exec in a paused container" in running("exec", "c1", "true").stderr
    assert running("resume", "c1").returncode == 0
    assert running.status("c1") == "running"
    running("pause", "c1")
    assert running("kill", "c1", "KILL").returncode == 0
    assert running.reap() == -9
    assert running("delete", "c1").returncode == 0


def test_limits_are_changed_while_it_runs(running: Command) -> None:
    assert running("update", "--pids-limit", "77", "--memory", "64m", "c1").returncode == 0

    group = f"wharf-test/{running.bundle.path.name}"
    assert Path(f"/sys/fs/cgroup/pids/{group}/pids.max").read_text() == "77\n"
    assert Path(f"/sys/fs/cgroup/memory/{group}/memory.limit_in_bytes").read_text() == f"{64 << 20}\n"
    end(running)


def test_measurements_are_a_line_of_json(running: Command) -> None:
    done = running("events", "--stats", "c1")

    event = json.loads(done.stdout)
    assert (event["type"], event["id"], event["data"]["pids"]["current"]) == ("stats", "c1", 1)
    end(running)


def test_its_processes_are_shown_by_their_ids_on_the_host(running: Command) -> None:
    pid = json.loads(running("state", "c1").stdout)["pid"]

    assert json.loads(running("ps", "--format", "json", "c1").stdout) == [pid]
    heading, line = running("ps", "c1").stdout.splitlines()
    assert "PID" in heading
    assert str(pid) in line.split()
    end(running)


def test_the_list_shows_what_the_state_does(running: Command) -> None:
    (row,) = json.loads(running("list", "--format", "json").stdout)

    assert row == json.loads(running("state", "c1").stdout)
    assert (row["id"], row["status"], row["owner"]) == ("c1", "running", "root")
    assert running("list", "-q").stdout == "c1\n"
    end(running)


def test_checkpoint_says_why_it_cannot(running: Command) -> None:
    done = running("checkpoint", "c1")

    assert done.returncode == 1
    assert "checkpoint is not supported: criu" in done.stderr
    end(running)
