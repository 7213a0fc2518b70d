"""`up` on a terminal: keys, and files that are followed."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.root.compose.conftest import Compose
from tests.root.wharfd import until

pytestmark = pytest.mark.root

APP = r"""
services:
  web:
    build: {context: ., dockerfile_inline: "FROM busybox\nCOPY version /version\nCMD [\"sleep\",\"1000\"]\n"}
    init: true
    stop_grace_period: 0s
    develop:
      watch:
        - {path: ./src, action: sync+restart, target: /src}
        - {path: ./version, action: rebuild}
"""


class Terminal:
    """What a person sees, and types."""

    def __init__(self, hand: int, process: subprocess.Popen[bytes]) -> None:
        self._hand = hand
        self._process = process
        self.seen = b""

    def type(self, keys: bytes) -> None:
        os.write(self._hand, keys)

    def until(self, text: bytes) -> None:
        """Wait until something is seen, after what was waited for before."""
        while text not in self.seen:
            self.seen += os.read(self._hand, 1 << 16)
        self.seen = self.seen.partition(text)[2]

    def end(self) -> int:
        """Read to the end; return the exit code."""
        try:
            while os.read(self._hand, 1 << 16):
                pass
        except OSError:  # EIO: nobody has the other side any more
            pass
        return self._process.wait(60)


@contextmanager
def terminal(compose: Compose, *words: str) -> Iterator[Terminal]:
    hand, other = pty.openpty()
    process = subprocess.Popen(
        [*compose.cli.command, "compose", *words], cwd=compose.folder, env=compose.cli.environment,
        stdin=other, stdout=other, stderr=other, start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509  # Ctrl+C needs it to be ours
    )  # fmt: skip
    os.close(other)
    try:
        yield Terminal(hand, process)
    finally:
        process.kill()
        process.wait()
        os.close(hand)


def test_keys_switch_the_watching_and_leave_all_running(compose: Compose) -> None:
    compose.write(APP)
    compose.write("1\n", "version")
    (compose.folder / "src").mkdir()

    def shell(script: str) -> str:
        return compose("exec", "-T", "web", "sh", "-c", script).out

    with terminal(compose, "up", "--watch") as screen:
        screen.until(b"Watch enabled")
        screen.until(b"Disable Watch")
        compose.write("2\n", "version")
        screen.until(b'Rebuilding service "web"')
        until(lambda: shell("cat /version") == "2\n")  # its container was replaced, and we are still there
        compose.write("new\n", "src/new")
        screen.until(b'Syncing service "web"')
        until(lambda: shell("cat /src/new") == "new\n")
        screen.type(b"w")
        screen.until(b"Watch disabled")
        screen.until(b"Enable Watch")
        screen.type(b"d")
        assert screen.end() == 0
    assert compose.states() == {"app-web-1": "running"}

    with terminal(compose, "up") as screen:
        screen.until(b"Enable Watch")
        screen.type(b"\x03")
        screen.until(b"Gracefully stopping")
        assert screen.end() == 130
    assert compose.states() == {"app-web-1": "exited"}
    compose.done("down", "--rmi", "local")
