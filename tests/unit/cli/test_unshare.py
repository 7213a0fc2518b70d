from __future__ import annotations

import os
import subprocess
import sys

import pytest


def test_root_runs_the_program_where_it_is() -> None:
    if os.geteuid() != 0:
        pytest.skip("a plain user's namespaces are for the root tests")
    line = [sys.executable, "-c", "import sys; from wharf.cli.main import main; sys.exit(main())", "unshare", "sh"]

    done = subprocess.run([*line, "-c", "readlink /proc/self/ns/user; exit 3"], capture_output=True, check=False)

    assert (done.returncode, done.stdout.decode().strip()) == (3, os.readlink("/proc/self/ns/user"))
