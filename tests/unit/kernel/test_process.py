from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from wharf.errors import Unavailable
from wharf.kernel import pidfd, process


def test_a_program_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        process.run(["no-such-program-here"])


def test_a_program_that_takes_too_long_is_killed() -> None:
    with pytest.raises(TimeoutError, match="sleep took longer"):
        process.run(["sleep", "10"], timeout_s=0.05)


def test_a_program_reads_bytes_and_its_end_is_told() -> None:
    assert process.run(["sh", "-c", "cat; echo no >&2; exit 3"], stdin=b"hi") == (3, b"hi", b"no\n")


def test_a_program_without_stdin_reads_nothing() -> None:
    assert process.run(["cat"]).stdout == b""


def test_a_spawned_program_is_reaped_by_the_caller() -> None:
    pid = process.spawn(["true"])

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _stopped_once_it_runs(tmp_path: Path, script: str, stop: process.Stop) -> None:
    """Run a shell script that makes a file ``up``, and ask for its end from another thread when that is there."""

    def ask() -> None:
        while not (tmp_path / "up").exists():
            os.sched_yield()
        stop.ask()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        with pytest.raises(Unavailable, match="the request was cancelled"):
            process.run(["sh", "-c", script], folder=tmp_path, stop=stop)
    finally:
        asking.join()


def test_a_program_that_is_stopped_ends_with_what_it_started(tmp_path: Path) -> None:
    _stopped_once_it_runs(tmp_path, "sleep 1000 & echo $! > pid; touch up; wait", process.Stop())

    pid = int((tmp_path / "pid").read_text())
    with suppress(FileNotFoundError):  # whoever adopted it may have reaped it
        assert " Z " in Path(f"/proc/{pid}/stat").read_text() or pidfd.has_exited(pidfd.pidfd_open(pid), 60)


def test_a_program_may_clean_up_when_it_is_stopped(tmp_path: Path) -> None:
    _stopped_once_it_runs(
        tmp_path, "trap 'touch cleaned; exit' TERM; touch up; while :; do sleep 0.05; done", process.Stop()
    )

    assert (tmp_path / "cleaned").exists()


def test_a_program_that_does_not_want_to_be_stopped_is_killed(tmp_path: Path) -> None:
    stop = process.Stop(grace_s=0.01)

    _stopped_once_it_runs(tmp_path, "trap '' TERM; touch up; while :; do sleep 1000; done", stop)


def test_what_a_stopped_program_leaves_behind_is_killed(tmp_path: Path) -> None:
    child = "sh -c 'trap \"\" TERM; echo $$ > pid; touch up; exec sleep 1000' >/dev/null 2>&1 </dev/null & wait"

    _stopped_once_it_runs(tmp_path, child, process.Stop())

    pid = int((tmp_path / "pid").read_text())
    with suppress(FileNotFoundError, ProcessLookupError):  # whoever adopted it may have reaped it
        assert " Z " in Path(f"/proc/{pid}/stat").read_text() or pidfd.has_exited(pidfd.pidfd_open(pid), 10)


def test_nothing_is_run_after_a_stop(tmp_path: Path) -> None:
    stop = process.Stop()
    stop.ask()

    with pytest.raises(Unavailable, match="the request was cancelled"):
        process.run(["touch", str(tmp_path / "made")], stop=stop)

    assert not (tmp_path / "made").exists()


def test_a_program_that_nobody_stops_ends_as_any(tmp_path: Path) -> None:
    assert process.run(["sh", "-c", "exit 3"], stop=process.Stop()).code == 3
