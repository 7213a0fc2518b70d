"""SIGKILL under running containers: they go on, and the next daemon finds them and what they did meanwhile."""

from __future__ import annotations

import http.client
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.root.wharfd import Cli, Wharfd, cli, until

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def wharf(daemon: Wharfd) -> Cli:
    return cli("wharf", daemon)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A folder to mount at /gate; who waits behind it goes on once it holds "open"."""
    (folder := tmp_path / "gate").mkdir()
    return folder


_GATE = "until [ -e /gate/open ]; do sleep 0.02; done; "


def _kill(daemon: Wharfd) -> None:
    assert daemon.end(signal.SIGKILL) == -signal.SIGKILL


def _state(daemon: Wharfd, name: str) -> dict[str, Any]:
    state: dict[str, Any] = daemon.get(f"/containers/{name}/json")["State"]
    return state


def _fetch(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/hosts")
        return connection.getresponse().status
    finally:
        connection.close()


def _served(port: int) -> bool:
    try:
        return _fetch(port) == 200
    except ConnectionError:
        return False


def test_published_port_answers_without_a_daemon_and_with_the_next(daemon: Wharfd, wharf: Cli) -> None:
    wharf.ok("run", "-d", "--name", "web", "-p", "0:80", "busybox", "httpd", "-f", "-p", "80", "-h", "/etc")
    [binding, *_] = daemon.get("/containers/web/json")["NetworkSettings"]["Ports"]["80/tcp"]
    port = int(binding["HostPort"])
    until(lambda: _served(port))

    _kill(daemon)

    assert _fetch(port) == 200
    daemon.start()
    assert _fetch(port) == 200
    other = wharf.ok("run", "-d", "-p", "0:80", "busybox", "httpd", "-f", "-p", "80", "-h", "/etc")
    taken = wharf("run", "-d", "-p", f"{port}:80", "busybox", "true")
    assert "port is already allocated" in taken.err
    assert _fetch(port) == 200
    wharf.ok("rm", "-f", other)
    wharf.ok("rm", "-f", "web")
    with pytest.raises(ConnectionRefusedError):
        _fetch(port)


def test_log_written_meanwhile_is_there_and_goes_on(daemon: Wharfd, wharf: Cli) -> None:
    script = "n=0; while [ $n -lt 400 ]; do n=$((n+1)); echo $n; sleep 0.01; done"
    wharf.ok("run", "-d", "--name", "counts", "busybox", "sh", "-c", script)
    until(lambda: wharf.ok("logs", "counts"))

    _kill(daemon)
    daemon.start()
    following = wharf.ok("logs", "-f", "counts")

    assert following.split() == [str(n) for n in range(1, 401)]


def test_exec_attach_stop_and_wait_work_on_what_the_next_daemon_finds(daemon: Wharfd, wharf: Cli) -> None:
    wharf.ok(
        "run", "-di", "--name", "found", "busybox", "sh", "-c", "trap 'exit 6' TERM; while read l; do echo =$l; done"
    )
    _kill(daemon)
    daemon.start()

    assert wharf.ok("exec", "found", "echo", "in") == "in"
    attached = wharf.start("attach", "found")
    assert attached.stdin is not None
    assert attached.stdout is not None
    attached.stdin.write(b"line\n")
    attached.stdin.flush()
    assert attached.stdout.readline() == b"=line\n"
    waiting = wharf.start("wait", "found")
    assert "read l" in wharf.ok("top", "found")
    assert wharf.ok("stats", "--no-stream", "--format", "{{.Name}}", "found") == "found"
    assert wharf.ok("stop", "found") == "found"
    assert waiting.communicate(timeout=60) == (b"6\n", b"")
    assert (attached.communicate(timeout=60), attached.returncode) == ((b"", b""), 6)


def test_client_of_a_killed_daemon_gets_an_error_not_an_exit_code(daemon: Wharfd, wharf: Cli) -> None:
    wharf.ok("run", "-d", "--name", "lasting", "busybox", "sleep", "60")
    waiting = wharf.start("wait", "lasting")
    following = wharf.start("run", "busybox", "sh", "-c", "echo up; sleep 60")
    assert following.stdout is not None
    assert following.stdout.readline() == b"up\n"

    _kill(daemon)

    assert waiting.communicate(timeout=60)[0] == b""
    following.communicate(timeout=60)
    assert (waiting.returncode, following.returncode not in (0, 137)) == (1, True)


@pytest.mark.parametrize(
    ("flags", "script", "status", "code"),
    [
        ((), "exit 3", "exited", 3),
        (("--restart", "on-failure:5"), "exit 0", "exited", 0),
        (("--restart", "always"), "[ -e /again ] && exec sleep 60; touch /again; exit 3", "running", 0),
        (("--restart", "on-failure:5"), "[ -e /again ] && exec sleep 60; touch /again; exit 3", "running", 0),
    ],
)
def test_end_meanwhile_is_recorded_and_answered_as_the_policy_says(
    daemon: Wharfd, wharf: Cli, gate: Path, flags: tuple[str, ...], script: str, status: str, code: int
) -> None:
    identity = wharf.ok(
        "run", "-d", "--name", "brief", *flags, "-v", f"{gate}:/gate", "busybox", "sh", "-c", _GATE + script
    )
    _kill(daemon)
    gate.joinpath("open").touch()
    until((daemon.shim(identity) / "exit.json").exists)

    daemon.start()

    until(lambda: _state(daemon, "brief")["Status"] == status)
    assert _state(daemon, "brief")["ExitCode"] == code


def test_container_to_be_removed_at_its_end_is_gone_when_it_ended_meanwhile(
    daemon: Wharfd, wharf: Cli, gate: Path
) -> None:
    volumes = ("-v", "/data", "-v", f"{gate}:/gate")
    identity = wharf.ok("run", "-d", "--rm", *volumes, "busybox", "sh", "-c", _GATE)
    _kill(daemon)
    gate.joinpath("open").touch()
    until((daemon.shim(identity) / "exit.json").exists)

    daemon.start()

    assert daemon.get("/containers/json?all=1") == []
    assert daemon.get("/volumes")["Volumes"] == []


def test_container_the_user_stopped_is_not_started_again(daemon: Wharfd, wharf: Cli) -> None:
    wharf.ok("run", "-d", "--name", "one", "--restart", "unless-stopped", "busybox", "sleep", "60")
    wharf.ok("run", "-d", "--name", "two", "--restart", "always", "busybox", "sleep", "60")
    wharf.ok("stop", "-t", "0", "one", "two")

    _kill(daemon)
    daemon.start()

    assert (_state(daemon, "one")["Status"], _state(daemon, "two")["Status"]) == ("exited", "running")


def test_killed_shim_is_seen_and_its_container_leaves_nothing(daemon: Wharfd, wharf: Cli) -> None:
    """Nobody reaps the container then: it must be ended, recorded as such and cleared away."""
    wharf.ok("run", "-d", "--name", "orphan", "-p", "0:80", "busybox", "sleep", "60")
    _kill(daemon)
    [shim] = daemon.shims()
    os.kill(shim, signal.SIGKILL)

    daemon.start()

    state = _state(daemon, "orphan")
    assert (state["Status"], state["ExitCode"]) == ("exited", 255)
    until(lambda: not daemon.world_of_containers().processes)  # its init is another's to reap now
