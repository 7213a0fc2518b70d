"""Hooks at every point of a container's life, and what becomes of one whose hook fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_command import Command, command

from wharf.runtime import hooks

__all__ = ["command"]  # the fixture

pytestmark = pytest.mark.root


def write(command: Command, by_point: dict[str, str], args: list[str]) -> Path:
    """Write a bundle whose hooks run scripts; return a folder on the host for them to write to."""
    out = command.bundle.path / "out"
    out.mkdir()
    command.write(args)
    path = command.bundle.path / "config.json"
    spec: Any = json.loads(path.read_text())
    spec["hooks"] = {
        point: [{"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin"]}]
        for point, script in by_point.items()
    }
    path.write_text(json.dumps(spec))
    return out


def test_each_point_is_reached_once_and_in_order(command: Command, bundle: Bundle) -> None:
    out = bundle.path / "out"
    scripts = {
        point: f"echo {point} >>{out}/order; readlink /proc/self/ns/mnt >{out}/{point}" for point in hooks.POINTS
    }
    scripts["startContainer"] = "cat >/state"
    write(command, scripts, ["sleep", "100"])
    assert command.create("c1").returncode == 0
    created = (out / "order").read_text().split()
    assert command("start", "c1").returncode == 0
    started = (out / "order").read_text().split()
    command("kill", "c1", "KILL")
    command.reap()
    assert command("delete", "c1").returncode == 0

    assert created == ["prestart", "createRuntime", "createContainer"]
    assert started == [*created, "poststart"]
    assert (out / "order").read_text().split() == [*started, "poststop"]
    told = json.loads((bundle.lower / "state").read_text())
    assert (told["id"], told["status"], told["pid"]) == ("c1", "created", 1)
    here = Path("/proc/self/ns/mnt").readlink()
    assert (out / "createRuntime").read_text().strip() == str(here)
    assert (out / "createContainer").read_text().strip() != str(here)


@pytest.mark.parametrize("point", ["prestart", "createRuntime", "createContainer"])
def test_a_hook_that_fails_in_create_leaves_no_container(command: Command, point: str) -> None:
    out = write(command, {point: "exit 7", "poststop": f"echo gone >{command.bundle.path}/out/poststop"}, ["true"])

    done = command.create("c1")

    assert done.returncode == 1
    assert f"error running {point} hook #0 /bin/sh: exit status 7" in done.stderr
    assert "does not exist" in command("state", "c1").stderr
    assert (out / "poststop").read_text() == "gone\n"


@pytest.mark.parametrize("point", ["startContainer", "poststart"])
def test_a_hook_that_fails_in_start_destroys_the_container(command: Command, point: str) -> None:
    write(command, {point: "exit 7"}, ["sleep", "100"])
    command.create("c1")

    done = command("start", "c1")

    assert done.returncode == 1
    assert f"error running {point} hook #0 /bin/sh: exit status 7" in done.stderr
    assert "does not exist" in command("state", "c1").stderr
    assert command.reap() in (-9, 125)


def test_a_hook_that_fails_after_the_end_is_a_warning(command: Command) -> None:
    write(command, {"poststop": "exit 7"}, ["true"])

    done = command("run", "c1")

    assert done.returncode == 0
    assert "warning: error running poststop hook #0" in done.stderr
