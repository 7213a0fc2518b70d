"""What README.md tells a newcomer to type works, and prints what it says."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

_TOP = Path(__file__).parent.parent.parent
_DEFAULT_PLACES = (Path("/var/lib/wharf"), Path("/run/wharf"))
_SOCKET = "/run/wharf/wharf.sock"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (_TOP / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "WHARF_"))}
    return subprocess.run(
        command,
        cwd=_TOP,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def _daemon() -> int | None:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(_SOCKET)
        except OSError:
            return None
        pid: int = struct.unpack("iII", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        return pid


def _stop_daemon() -> None:
    pid = _daemon()
    if pid is None:
        return
    ended = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(ended, signal.SIGTERM)
        poll = select.poll()
        poll.register(ended)
        assert poll.poll(60_000), "the daemon does not end"
    finally:
        os.close(ended)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # somebody else has begun to use it
        folder.rmdir()


@pytest.fixture(scope="module")
def newcomer() -> Iterator[None]:
    """Empty default places, seen only in this process's mount namespace; the daemon that gets started is stopped."""
    with ExitStack() as stack:
        for place in _DEFAULT_PLACES:
            existed = place.exists()
            place.mkdir(parents=True, exist_ok=True)
            if not existed:
                stack.callback(_remove_if_empty, place)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=711", "wharf-test", place], check=True)
            stack.callback(subprocess.run, ["umount", place], check=True)
        stack.callback(_stop_daemon)
        yield


def test_the_first_command_a_newcomer_types_works(newcomer: None) -> None:
    first_steps = next(block for block in _blocks("sh") if "wharf run" in block)

    done = _run("bash", "-euc", first_steps)

    assert (done.returncode, done.stdout) == (0, "hi\n"), done.stderr
    assert done.stderr.count("starting one in the background") == 1


def test_the_library_example_works_without_a_daemon(newcomer: None) -> None:
    [example] = _blocks("python")
    made = _run(str(_TOP / ".venv/bin/wharf"), "image", "bootstrap", "busybox")
    assert made.returncode == 0, made.stderr
    _stop_daemon()

    done = _run(sys.executable, "-c", example)

    assert (done.returncode, done.stdout) == (0, "0 b'hi\\n'\n"), done.stderr


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"`?make ([a-z-]+)`?", (_TOP / "README.md").read_text())) - {"one"}
    targets = set(re.findall(r"^([a-z-]+):", (_TOP / "Makefile").read_text(), re.MULTILINE))

    assert named <= targets
