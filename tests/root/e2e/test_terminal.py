"""run -t through a real terminal: what is typed, its size, and leaving it running."""

from __future__ import annotations

import pytest
from tests.root.terminal import terminal
from tests.root.wharfd import Cli

pytestmark = pytest.mark.root


def test_terminal_has_its_size_from_the_start_and_follows_it(run: Cli) -> None:
    with terminal(run, "run", "--rm", "-it", "busybox", "sh") as t:
        t.ask(b"stty size", b"30 70")
        t.resize_until(33, 77, lambda: t.answers(b"stty size", b"33 77"))
        t.type(b"exit 4\n")

        assert t.ended() == 4


def test_keys_reach_the_container_as_they_are(run: Cli) -> None:
    with terminal(run, "run", "--rm", "-it", "busybox", "sh", "-c", "tty; sleep 60; echo never") as t:
        t.expect(b"/dev/pts/0")
        t.type(b"\x03")

        assert t.ended() == 130


def test_detached_container_runs_on_and_is_attached_again(run: Cli) -> None:
    with terminal(run, "run", "-it", "--name", "term", "busybox", "sh") as t:
        t.ask(b"echo a''live", b"alive")
        t.type(b"\x10\x11")
        assert t.ended() == 0

    assert run.ok("inspect", "-f", "{{.State.Running}}", "term") == "true"
    with terminal(run, "attach", "term") as t:
        t.ask(b"echo a''gain", b"again")
        t.type(b"exit 3\n")
        assert t.ended() == 3


def test_exec_has_a_terminal_of_its_own(run: Cli) -> None:
    run.ok("run", "-d", "--name", "host", "busybox", "sleep", "60")
    with terminal(run, "exec", "-it", "host", "sh") as t:
        t.ask(b"stty size", b"30 70")
        t.type(b"exit 9\n")

        assert t.ended() == 9


def test_terminal_without_one_here_is_refused(run: Cli) -> None:
    done = run("run", "--rm", "-it", "busybox", "true")

    assert (done.code, "the input device is not a TTY" in done.err) == (1, True), done


def test_terminal_in_the_background_mixes_errors_into_the_output(run: Cli) -> None:
    run.ok("run", "-dt", "--name", "mix", "busybox", "sh", "-c", "echo out; echo err >&2")
    run.ok("wait", "mix")

    assert run.ok("logs", "mix").splitlines() == ["out", "err"]
