from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.client.programs import Running, ask, in_path


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def test_program_is_asked_and_answers() -> None:
    before = open_descriptors()
    code, said, complaint = ask(["sh", "-c", "cat; echo oops >&2; exit 3"], b"question")

    assert (code, said, complaint) == (3, b"question", "oops")
    assert open_descriptors() == before


def test_program_has_the_variables_it_is_given_alone() -> None:
    assert ask(["/bin/sh", "-c", "echo $A$HOME"], environment={"A": "1"}) == (0, b"1\n", "")


def test_lines_come_one_by_one_and_who_leaves_early_ends_the_program() -> None:
    before = open_descriptors()
    with Running(["sh", "-c", "echo one; echo two; exec sleep 1000"]) as running:
        lines = running.lines()
        assert [next(lines), next(lines)] == [b"one\n", b"two\n"]

    assert running.wait() == -9
    assert open_descriptors() == before


def test_program_that_answers_without_end_is_ended_and_told_of() -> None:
    before = open_descriptors()

    with pytest.raises(OSError, match="longer than 1048576 bytes: 'cat'"):
        ask(["cat", "/dev/zero"])
    assert open_descriptors() == before


def test_program_ends_when_nobody_reads_it_any_more() -> None:
    assert ask(["sh", "-c", "kill -PIPE $$; echo survived"]) == (-13, b"", "")


def test_program_that_does_not_read_is_no_failure() -> None:
    assert ask(["true"], b"x" * 60000)[0] == 0


def test_what_cannot_be_run_is_an_error_and_leaves_nothing_open() -> None:
    before = open_descriptors()
    with pytest.raises(FileNotFoundError):
        ask(["no-such-program-at-all"])

    assert open_descriptors() == before


def test_programs_are_looked_up_in_path(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "b/tool").chmod(0o755)
    path = {"PATH": f"{tmp_path}/a:{tmp_path}/b"}

    assert in_path("tool", path) == f"{tmp_path}/b/tool"
    assert in_path("other", path) == ""
