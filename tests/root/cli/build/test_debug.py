"""wharf build --debug on a terminal, against the real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.root.terminal import terminal
from tests.root.wharfd import Cli, Wharfd, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\nENV A=b\nWORKDIR /w\nRUN --mount=target=/src echo made > f; exit 7\n"
    )
    return tmp_path


def test_a_shell_has_the_files_of_the_failed_step_and_the_build_fails_behind_it(wharf: Cli, folder: Path) -> None:
    with terminal(wharf, "build", "--debug", "--progress=plain", str(folder)) as t:
        t.expect(b"exit code: 7\r\n/bin/sh in the files of that step follows")
        t.ask(b"stty size", b"30 70")
        t.ask(b"pwd; cat f; echo $A; ls /src", b"/w\r\nmade\r\nb\r\nDockerfile")
        t.type(b"exit\n")
        t.expect(b">>> RUN --mount=target=/src echo made > f; exit 7")

        assert t.ended() == 1


def test_a_build_that_succeeds_is_as_any_other(wharf: Cli, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM busybox\nRUN echo fine > /f\n")
    with terminal(wharf, "build", "--debug", "-t", "fine", str(folder)) as t:
        assert t.ended() == 0
    assert wharf.ok("run", "--rm", "fine", "cat", "/f") == "fine"


def test_nothing_is_left_of_a_shell_whose_client_is_killed(wharf: Cli, daemon: Wharfd, folder: Path) -> None:
    with terminal(wharf, "build", "--debug", str(folder)) as t:
        t.ask(b"echo a''live", b"alive")
        assert len(daemon.world().shims) == 1
        t.process.kill()
        until(lambda: not daemon.world().shims)


def test_without_a_terminal_it_is_refused(wharf: Cli, folder: Path) -> None:
    assert "--debug needs a terminal" in wharf("build", "--debug", str(folder)).err
