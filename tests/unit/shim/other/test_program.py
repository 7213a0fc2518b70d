from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.runtime.errors import StartFailed
from wharf.shim.other.program import Program, kind_of, reason

_LOG = """\
{"level":"warning","msg":"so so","time":"t"}
{"level":"error","msg":"exec: \\"nope\\": executable file not found in $PATH","time":"t"}
not json
"""


def test_the_last_error_of_a_log_is_the_reason() -> None:
    assert reason(_LOG) == 'exec: "nope": executable file not found in $PATH'
    assert reason('{"level":"info","msg":"fine"}') == ""


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('exec: "x": executable file not found in $PATH', "not-found"),
        ("exec /x: Permission denied", "not-executable"),
        ("no such cgroup", "other"),
    ],
)
def test_what_failed_is_known_by_dockers_words(said: str, kind: str) -> None:
    assert kind_of(said) == kind


def _program(folder: Path, script: str) -> Program:
    path = folder / "fake"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return Program(str(path), ["--debug"], str(folder))


def test_a_command_is_run_with_the_runtimes_own_state_and_streams(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    _program(tmp_path, 'echo "$*"').run("start", "id", stdio=(0, writer, 2))
    os.close(writer)
    with os.fdopen(reader) as said:
        assert said.read().split() == [
            "--debug", "--root", f"{tmp_path}/runtime", "--log", f"{tmp_path}/runtime.log", "--log-format", "json",
            "start", "id",
        ]  # fmt: skip


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    script = """echo '{"level":"error","msg":"no way"}' > "$5"; exit 3"""
    with pytest.raises(StartFailed, match="fake start: no way"):
        _program(tmp_path, script).run("start", "id")
    with pytest.raises(StartFailed, match="fake start: it ended with 4"):
        _program(tmp_path, "exit 4").run("start", "id")
    with pytest.raises(StartFailed, match=r"cannot execute /\S+/none: no such file"):
        Program(f"{tmp_path}/none", [], str(tmp_path)).run("start", "id")
