"""What can be done to a container that runs: pause, resume, update, measure, look at."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.root import groups
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

    group = f"{groups.PARENT}/{running.bundle.path.name}"
    assert Path(f"/sys/fs/cgroup/pids{group}/pids.max").read_text() == "77\n"
    assert Path(f"/sys/fs/cgroup/memory{group}/memory.limit_in_bytes").read_text() == f"{64 << 20}\n"
    end(running)


def test_measurements_are_a_line_of_json(running: Command) -> None:
    done = running("events", "--stats", "c1")

    event = json.loads(done.stdout)
    assert (event["type"], event["id"], event["data"]["pids"]["current"]) == ("stats", "c1", 1)
    assert os.sched_getaffinity(0) <= set(event["data"]["cpuset"]["cpus"])
    assert set(event["data"]["memory"]) >= {"usage", "swap", "kernel", "kernelTCP", "raw"}
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


def test_checkpoint_says_why_it_cannot(running: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = running.bundle.path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    why = "checkpoint and restore do not work here:"
    assert f"{why} criu is not installed" in running("checkpoint", "c1").stderr

    (folder / "criu").write_text("#!/bin/sh\necho 'Error: no timens' >&2\nexit 1\n")
    (folder / "criu").chmod(0o755)
    done = running("checkpoint", "c1")

    assert done.returncode == 1
    assert f"{why} criu check fails on this kernel: Error: no timens" in done.stderr
    assert running.status("c1") == "running"
    end(running)


def test_another_criu_can_be_named(running: Command) -> None:
    for words in (["checkpoint", "c1"], ["restore", "c2"]):
        done = running("--criu", "/nowhere/criu", *words)

        assert done.returncode == 1
        assert "/nowhere/criu is not installed" in done.stderr
    end(running)


def test_limits_that_lack_something_are_refused(running: Command) -> None:
    for limits, said in (
        ('{"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}}', "device 8:0 has neither weight nor leafWeight"),
        ('{"hugepageLimits": [{}]}', "linux.resources.hugepageLimits[0].pageSize must be given"),
    ):
        (running.bundle.path / "limits").write_text(limits)
        done = running("update", "--resources", "limits", "c1")

        assert (done.returncode, done.stderr.count("\n"), said in done.stderr) == (1, 1, True)
    end(running)


def test_a_class_of_service_needs_resctrl(command: Command) -> None:
    command.write(["sleep", "100"])
    path = command.bundle.path / "config.json"
    spec = json.loads(path.read_text())
    spec["linux"]["intelRdt"] = {"l3CacheSchema": "L3:0=f"}
    path.write_text(json.dumps(spec))
    if "resctrl" in Path("/proc/filesystems").read_text():
        pytest.skip("this kernel has resctrl: that it is missing cannot be seen here")

    assert command.create("c1").returncode == 1
    assert "linux.intelRdt: no resctrl file system is mounted" in command.output
    assert command("state", "c1").returncode == 1


def test_one_without_a_class_of_service_cannot_be_given_another(running: Command) -> None:
    done = running("update", "--l3-cache-schema", "L3:0=f", "c1")

    assert done.returncode == 1
    assert "created without linux.intelRdt" in done.stderr
    end(running)


def test_a_tree_is_moved_into_the_container_and_stays_on_the_host(command: Command) -> None:
    (command.bundle.path / "tree").mkdir()
    (command.bundle.path / "tree/file").touch()
    command.write(["ls", "/moved"])
    path = command.bundle.path / "config.json"
    spec = json.loads(path.read_text())
    spec["mounts"].append({"destination": "/moved", "type": "none", "source": "tree", "options": ["move"]})
    path.write_text(json.dumps(spec))

    assert command("run", "c1").stdout == "file\n"
    assert (command.bundle.path / "tree/file").exists()


def test_an_exec_goes_into_a_group_below_the_containers(running: Command) -> None:
    group = Path(f"/sys/fs/cgroup/pids{groups.PARENT}/{running.bundle.path.name}")
    if not group.exists():
        pytest.skip("there is no v1 hierarchy of the controller pids")
    (group / "inner").mkdir()
    look = ("exec", "--cgroup", "pids:inner", "c1", "cat", "/proc/self/cgroup")
    lines = {line.split(":")[1]: line.split(":")[2] for line in running(*look).stdout.splitlines()}
    missing = running("exec", "--cgroup", "pids:missing", "c1", "true")
    (group / "inner").rmdir()

    assert lines["pids"].endswith("/inner")
    assert not lines["memory"].endswith("/inner")
    assert (missing.returncode, "No such file" in missing.stderr) == (255, True)
    end(running)
