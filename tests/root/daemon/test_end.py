"""An orderly end: the daemon goes with all that is its own, containers go on, clients are let go."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Wharfd, cli, until
from tests.root.world import EMPTY, World, zygotes

pytestmark = pytest.mark.root
_ENDLESS = ("sh", "-c", "trap 'exit 4' TERM; echo tick; sleep 1000 & wait")


@pytest.fixture
def wharf(daemon: Wharfd) -> Cli:
    return cli("wharf", daemon)


def _state(daemon: Wharfd, name: str) -> tuple[str, int, int]:
    state = daemon.get(f"/containers/{name}/json")["State"]
    return state["Status"], state["Pid"], state["ExitCode"]


def _but_spares(world: World) -> World:
    """Leave out the sandboxes made ahead: some time after a start there are some, and with the daemon they go."""
    return replace(world, links=frozenset(name for name in world.links if not name.startswith("spare ")))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_daemon_ends_exactly_and_its_container_goes_on(daemon: Wharfd, wharf: Cli, number: signal.Signals) -> None:
    wharf.ok("run", "-d", "--name", "lasting", "-p", "127.0.0.1:0:80", "busybox", *_ENDLESS)
    running = _state(daemon, "lasting")
    before = _but_spares(daemon.world())

    code = daemon.end(number)

    assert (code, daemon.socket.exists()) == (0, False)
    until(lambda: daemon.world() == before)  # the kernel takes spare sandboxes apart in its own time
    assert zygotes() == daemon.shims() != []
    daemon.start()
    assert _state(daemon, "lasting") == running
    assert wharf.ok("stop", "lasting") == "lasting"
    assert _state(daemon, "lasting") == ("exited", 0, 4)


def test_daemon_without_containers_leaves_nothing(daemon: Wharfd, wharf: Cli) -> None:
    wharf.ok("run", "--rm", "busybox", "true")
    until(lambda: daemon.get("/containers/json?all=1") == [])

    assert daemon.end() == 0
    assert (daemon.world(), zygotes()) == (EMPTY, [])


def test_clients_that_wait_are_let_go_at_once(daemon: Wharfd, wharf: Cli) -> None:
    wharf.ok("run", "-d", "--name", "lasting", "busybox", *_ENDLESS)
    clients = [
        wharf.start(*words)
        for words in (("logs", "-f", "lasting"), ("attach", "lasting"), ("exec", "lasting", "cat", "/dev/zero"))
    ]
    for client in clients[:1] + clients[2:]:
        assert client.stdout is not None
        assert client.stdout.read(1)
    waiting = wharf.start("wait", "lasting")

    assert daemon.end() == 0
    for client in (*clients, waiting):
        client.communicate(timeout=60)
    daemon.start()
    assert _state(daemon, "lasting")[0] == "running"


def test_signal_while_it_starts_ends_it_as_well(daemon: Wharfd, wharf: Cli) -> None:
    wharf.ok("run", "-d", "--name", "lasting", "busybox", *_ENDLESS)
    daemon.end()
    daemon.process = subprocess.Popen(daemon.command(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with daemon.process as process:
        until(daemon.socket.exists)

        code = daemon.end()

        assert process.stderr is not None
        assert (code, b"Traceback" in process.stderr.read(), daemon.socket.exists()) in (
            (0, False, False),
            (-signal.SIGTERM, False, True),  # before it could watch for signals: as good, for any instant is
        )
    daemon.start()
    assert _state(daemon, "lasting")[0] == "running"


def test_pid_file_names_the_daemon_and_goes_with_it(daemon: Wharfd, tmp_path: Path) -> None:
    daemon.end()
    path = tmp_path / "wharfd.pid"
    path.write_text("1\n")  # left by one that was killed; its number is another process's by now
    daemon.start("--pidfile", str(path))
    assert daemon.process is not None
    assert int(path.read_text()) == daemon.process.pid

    daemon.end(signal.SIGKILL)
    assert (path.exists(), daemon.socket.exists()) == (True, True)
    daemon.start("--pidfile", str(path))

    assert (daemon.end(), path.exists(), daemon.socket.exists()) == (0, False, False)


def test_daemon_holds_nothing_of_who_started_it(daemon: Wharfd) -> None:
    """Descriptors that a parent leaves open must not reach containers through zygote and shim."""
    daemon.end()
    read, write = os.pipe()
    os.set_inheritable(write, True)
    daemon.start(pass_fds=(write,))
    os.close(write)
    run = cli("wharf", daemon)
    run.ok("run", "-d", "--name", "lasting", "busybox", *_ENDLESS)
    daemon.end()

    os.set_blocking(read, False)
    assert os.read(read, 1) == b""  # every holder of the other end is gone, with the container still there
    os.close(read)
