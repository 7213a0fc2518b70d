"""A process that waits in a container is no file of the host's, by either way to become a copy of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_command import SOURCE, Command, command

pytestmark = pytest.mark.root
__all__ = ["command"]

_START = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); "
_REFUSING = """
from wharf.kernel import exe_file
def refuse(fd): raise OSError(1, "not here")
exe_file.replace = refuse
"""
_MAIN = "\nfrom wharf.runtime.cli import main; sys.exit(main())"


@pytest.mark.parametrize("prelude", ["", _REFUSING], ids=["in place", "started once more"])
def test_init_that_waits_is_a_copy_in_memory(command: Command, bundle: Bundle, prelude: str) -> None:
    command.write(["true"])
    program = [sys.executable, "-I", "-S", "-c", _START + prelude + _MAIN, "--root", str(command.root)]

    with open("/dev/null", "r+b") as null:
        done = subprocess.run([*program, "create", "box"], cwd=bundle.path, stdin=null, stdout=null, check=False)

    pid = json.loads(command("state", "box").stdout)["pid"]
    shown, copy = os.readlink(f"/proc/{pid}/exe"), Path(f"/proc/{pid}/exe").read_bytes()
    same = copy == Path(os.path.realpath(sys.executable)).read_bytes()
    assert (done.returncode, shown.startswith("/memfd:"), same) == (0, True, True), shown
    assert command("delete", "--force", "box").returncode == 0
    command.reap()
