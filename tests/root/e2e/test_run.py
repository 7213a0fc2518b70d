"""run: its streams, its exit codes, and what it says when it cannot."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Done, Wharfd, until

pytestmark = pytest.mark.root


def test_output_and_errors_come_apart_and_the_exit_code_is_the_containers(run: Cli) -> None:
    done = run("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7")

    assert done == Done(7, "out\n", "err\n")


def test_megabytes_are_piped_through(run: Cli) -> None:
    data = os.urandom(3 * 1024 * 1024).hex().encode()

    done = run("run", "--rm", "-i", "busybox", "cat", stdin=data)

    assert (done.code, done.out == data.decode(), done.err) == (0, True, "")


def test_stdin_that_is_not_asked_for_is_empty(run: Cli) -> None:
    assert run("run", "--rm", "busybox", "cat", stdin=b"lost") == Done(0, "", "")


def test_output_bytes_are_not_changed(run: Cli) -> None:
    process = run.start("run", "--rm", "busybox", "printf", r"a\r\n\000\377\n\n")

    out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err) == (0, b"a\r\n\0\xff\n\n", b"")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("nope",), 125, ""),
        (("busybox", "/etc"), 126, 'exec: "/etc": is a directory: permission denied'),
        (("-w", "/etc/passwd/x", "busybox", "true"), 125, "Cannot mkdir: /etc/passwd/x is not a directory"),
        (("busybox", "nonsense"), 127, 'exec: "nonsense": executable file not found in $PATH'),
        (("busybox", "/nonsense"), 127, 'exec: "/nonsense": stat /nonsense: no such file or directory'),
        (("-m", "1m", "busybox", "true"), 125, "Minimum memory limit allowed is 6MB"),
        (
            ("--user", "nobody2", "busybox", "true"),
            125,
            "unable to find user nobody2: no matching",
        ),
        (("--network", "nope", "busybox", "true"), 125, "network nope not found"),
        (("--cap-add", "FLY", "busybox", "true"), 125, "FLY"),
        (("--privileged=maybe", "busybox", "true"), 125, "maybe"),
        (("--name", "?", "busybox", "true"), 125, "Invalid container name (?)"),
        (("--runtime", "other", "busybox", "true"), 125, "other"),
        (
            ("--mount", "type=bind,src=/nope/x,dst=/x", "busybox", "true"),
            125,
            "bind source path does not exist",
        ),
    ],
)
def test_what_cannot_run_says_why_and_leaves_nothing(
    run: Cli, daemon: Wharfd, words: tuple[str, ...], code: int, says: str
) -> None:
    done = run("run", "--rm", *words)

    assert (done.code, done.out, says in done.err) == (code, "", True), done
    assert daemon.get("/containers/json?all=1") == []
    assert "Traceback" not in done.err + daemon.log.read_text()


_TRAPS = "trap 'echo got; exit {code}' {signal}; echo up; while :; do sleep 0.05; done"


@pytest.mark.parametrize(("number", "code", "says"), [(signal.SIGTERM, 143, b"got\n"), (signal.SIGKILL, 137, b"")])
def test_killed_container_tells_its_signal(run: Cli, number: signal.Signals, code: int, says: bytes) -> None:
    process = run.start(
        "run",
        "--name",
        "kk",
        "busybox",
        "sh",
        "-c",
        _TRAPS.format(signal="TERM", code=143),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"

    run.ok("kill", "-s", number.name, "kk")

    assert (process.communicate(timeout=60), process.returncode) == ((says, b""), code)
    assert run.ok("wait", "kk") == str(code)


def test_signal_to_the_command_reaches_the_container(run: Cli) -> None:
    process = run.start("run", "--rm", "busybox", "sh", "-c", _TRAPS.format(signal="INT", code=9))
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"

    process.send_signal(signal.SIGINT)

    assert (process.communicate(timeout=60), process.returncode) == ((b"got\n", b""), 9)


def test_name_is_one_containers(run: Cli) -> None:
    first = run.ok("run", "-d", "--name", "one", "busybox", "sleep", "60")

    done = run("run", "-d", "--name", "one", "busybox", "sleep", "60")

    assert (done.code, done.out) == (125, "")
    assert f'Conflict. The container name "/one" is already in use by container "{first}"' in done.err


def test_cidfile_holds_the_id_and_is_never_overwritten(run: Cli, tmp_path: Path) -> None:
    name = run.ok("run", "-d", "--cidfile", str(tmp_path / "cid"), "busybox", "true")

    again = run("run", "-d", "--cidfile", str(tmp_path / "cid"), "busybox", "true")

    assert (tmp_path / "cid").read_text() == name
    assert (again.code, "container ID file found" in again.err.replace("Container", "container")) == (125, True), (
        again
    )


def test_rm_removes_it_and_its_anonymous_volumes(run: Cli, daemon: Wharfd) -> None:
    run.ok("run", "--rm", "-v", "/data", "busybox", "touch", "/data/x")

    until(lambda: daemon.get("/containers/json?all=1") == [])
    assert run.ok("volume", "ls", "-q") == ""
    assert list((daemon.root / "volumes").iterdir()) == []


def test_restart_policy_starts_a_failed_container_again_a_number_of_times(run: Cli) -> None:
    run.ok("run", "-d", "--name", "rr", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo run; exit 4")

    until(lambda: run.ok("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", "rr") == "exited 2")

    assert run.ok("logs", "rr") == "run\nrun\nrun"
    assert run.ok("inspect", "-f", "{{.State.ExitCode}}", "rr") == "4"
