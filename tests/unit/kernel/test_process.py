from __future__ import annotations

import os

import pytest

from wharf.kernel import process


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
