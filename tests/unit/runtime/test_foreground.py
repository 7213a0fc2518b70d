from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_RELAY = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[3] / "src")!r})
from wharf.runtime import foreground
master, slave = os.openpty()
if os.fork() == 0:
    os.close(master)
    line = os.read(slave, 100)
    os.write(slave, b"got " + line)
    os._exit(0)
os.close(slave)
foreground.relay(master)
"""


def test_what_is_typed_goes_in_and_what_is_written_comes_out() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"hello\n")

    done = subprocess.run([sys.executable, "-c", _RELAY], stdin=reader, capture_output=True, timeout=60, check=True)

    os.close(reader)
    os.close(writer)
    assert done.stdout == b"hello\r\ngot hello\r\n"
