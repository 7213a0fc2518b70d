"""What cannot be served is refused with one line that says what to do, and nothing that runs is disturbed."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest
from tests.root.wharfd import Done, Wharfd

pytestmark = pytest.mark.root


def _try(*words: str) -> Done:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def _lines(text: str) -> list[str]:
    """Return the lines that are no log."""
    return [line for line in text.splitlines() if " INFO " not in line]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--nope"], "wharfd: unrecognized arguments: --nope"),
        (["extra"], "wharfd: unrecognized arguments: extra"),
        (["--log-format", "xml"], 'wharfd: invalid value "xml" for log-format: choose one of text, json'),
        (["-H", "nonsense"], "wharfd: invalid host 'nonsense'"),
        (["-H", "ssh://x"], "wharfd: host 'ssh://x': listening on ssh:// is not supported"),
        (["-H", "tcp://127.0.0.1:2375"], "--insecure-tcp allows everybody on loopback"),
        (["--data-root", "/etc/passwd"], "data-root: /etc/passwd is not a folder"),
    ],
)
def test_misuse_is_one_line_and_exits_2(daemon: Wharfd, words: list[str], says: str) -> None:
    done = _try(*daemon.command(*words))

    assert (done.code, done.out, len(_lines(done.err)), says in done.err) == (2, "", 1, True), done
    assert daemon.get("/_ping") is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-H", "unix:///etc/passwd"], "cannot listen on unix:///etc/passwd: the file exists and is not a socket"),
        (["-H", "unix:///etc/passwd/s"], "/etc/passwd"),
        (["--group", "nobody-has-this"], "group nobody-has-this not found"),
        (["--pidfile", "/nope/pid"], "/nope/pid: no such file or directory"),
        (["--data-root", "/proc/wharf"], "/proc/wharf: no such file or directory"),
    ],
)
def test_what_cannot_be_had_is_one_line_and_exits_1(daemon: Wharfd, words: list[str], says: str) -> None:
    daemon.end()

    done = _try(*daemon.command(*words))

    assert (done.code, done.out, len(_lines(done.err)), says in done.err) == (1, "", 1, True), done
    assert not daemon.socket.exists()


def test_second_daemon_on_the_same_root_is_refused_and_the_first_goes_on(daemon: Wharfd, tmp_path: Path) -> None:
    assert daemon.process is not None
    words = [*daemon.command()[:-1], f"unix://{tmp_path}/other.sock"]

    done = _try(*words)

    says = f"wharfd: {daemon.root} is in use by another engine (process {daemon.process.pid})"
    assert (done.code, _lines(done.err), (tmp_path / "other.sock").exists()) == (1, [says], False)
    assert daemon.get("/_ping") is None


def test_second_daemon_on_the_same_socket_is_refused_and_the_first_goes_on(daemon: Wharfd, tmp_path: Path) -> None:
    words = [*daemon.command(), "--data-root", str(tmp_path / "other")]

    done = _try(*words)

    says = f"wharfd: cannot listen on unix://{daemon.socket}: another process listens there already"
    assert (done.code, _lines(done.err), (tmp_path / "other").exists()) == (1, [says], False)
    assert daemon.get("/_ping") is None


def test_second_daemon_with_the_same_pid_file_is_refused(daemon: Wharfd, tmp_path: Path) -> None:
    daemon.end()
    pidfile = tmp_path / "pid"
    daemon.start("--pidfile", str(pidfile))
    assert daemon.process is not None

    done = _try(*daemon.command("--pidfile", str(pidfile)))

    says = f"wharfd: pid file {pidfile} is held by process {daemon.process.pid}: is wharfd running already?"
    assert (done.code, _lines(done.err), pidfile.read_text()) == (1, [says], f"{daemon.process.pid}\n")


def test_killed_daemon_leaves_a_socket_that_the_next_one_takes_over(daemon: Wharfd) -> None:
    daemon.end(signal.SIGKILL)
    assert daemon.socket.is_socket()

    daemon.start()

    assert daemon.get("/_ping") is None


def test_taken_tcp_port_is_named(daemon: Wharfd) -> None:
    daemon.end()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"

        done = _try(*daemon.command("--insecure-tcp", "-H", address))

    assert (done.code, _lines(done.err)) == (1, [f"wharfd: {address}: address already in use"])
