from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wharf.runtime import program
from wharf.runtime.errors import StartFailed

NO_INTERPRETER = (0, 0)
PREFIX = "unable to start container process: "


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("foo", "not-found", 'exec: "foo": executable file not found in $PATH'),
        ("/no/foo", "not-found", 'exec: "/no/foo": stat /no/foo: no such file or directory'),
        ("/etc", "not-executable", 'exec: "/etc": is a directory'),
        ("/etc/passwd", "not-executable", 'exec: "/etc/passwd": permission denied'),
        ("/etc/passwd/x", "not-executable", 'exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory'),
    ],
)
def test_what_cannot_be_executed_is_told_in_the_words_clients_match_on(name: str, kind: str, message: str) -> None:
    with pytest.raises(StartFailed) as caught:
        program.find(name, "/usr/bin:/bin", NO_INTERPRETER)

    assert (caught.value.kind, caught.value.message) == (kind, PREFIX + message)


def test_a_name_is_looked_up_in_path_in_order(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "tool").write_text("not executable")
    (tmp_path / "b" / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "b" / "tool").chmod(0o755)

    assert program.find("tool", f"{tmp_path}/a:{tmp_path}/b", NO_INTERPRETER) == f"{tmp_path}/b/tool"


def test_the_hosts_interpreter_is_refused_also_behind_a_script(tmp_path: Path) -> None:
    status = os.stat(sys.executable)
    script = tmp_path / "script"
    script.write_text(f"#!{sys.executable} -x\n")
    script.chmod(0o755)

    for name in (sys.executable, str(script)):
        with pytest.raises(StartFailed, match="host's interpreter"):
            program.find(name, "", (status.st_dev, status.st_ino))
