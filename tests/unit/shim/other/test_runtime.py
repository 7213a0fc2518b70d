"""Another runtime that does half of what it must, by the shim; what it does right is in tests/root/shim/other."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import Any

import pytest

from wharf.runtime.errors import StartFailed
from wharf.shim.other.runtime import OtherRuntime

_PROCESS: Any = {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "terminal": True}
_LAST_WORDS = 'while [ $# -gt 1 ]; do [ "$1" = --pid-file ] && pid_file=$2; shift; done\n'
_MAKES_A_PROCESS = f"""#!/bin/sh
{_LAST_WORDS}
exec >{{fifo}}
sleep 20 &
echo $! >"$pid_file"
"""


def _runtime(folder: Path, script: str) -> OtherRuntime:
    program = folder / "runtime"
    program.write_text(script)
    program.chmod(0o755)
    request: Any = {"id": "box", "shim_dir": str(folder), "runtime": {"path": str(program), "arguments": []}}
    return OtherRuntime(request)


def test_a_process_whose_terminal_never_comes_does_not_live_on(tmp_path: Path) -> None:
    """Nobody else knows of it: the runtime has made it, and no container or exec will be there to end it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    runtime = _runtime(tmp_path, _MAKES_A_PROCESS.format(fifo=fifo))

    with pytest.raises(StartFailed, match="the runtime has sent no terminal"):
        runtime.execute(_PROCESS, init_pid=os.getpid(), spec={}, stdio=None, cgroup=None, seccomp_cache="")  # type: ignore[arg-type]

    poll = select.poll()
    poll.register(reader, select.POLLIN)
    assert poll.poll(10_000) == [(reader, select.POLLHUP)]  # who would write to it has ended
    os.close(reader)
    assert not (tmp_path / "console.sock").exists()


@pytest.mark.parametrize("says", ["", 'echo nonsense >"$pid_file"', 'echo 4194305 >"$pid_file"'])
def test_a_runtime_that_names_no_process_has_failed(tmp_path: Path, says: str) -> None:
    runtime = _runtime(tmp_path, f"#!/bin/sh\n{_LAST_WORDS}{says}\n")

    with pytest.raises(StartFailed, match="runtime exec: it has not said which process it made"):
        runtime.execute(_PROCESS, init_pid=os.getpid(), spec={}, stdio=None, cgroup=None, seccomp_cache="")  # type: ignore[arg-type]

    assert not (tmp_path / "console.sock").exists()
