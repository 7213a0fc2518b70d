"""A command on a terminal of its own, for tests to type into and to look at."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.root.wharfd import Cli, until


class Terminal:
    """A command on a terminal of its own, seen from the screen and the keyboard."""

    def __init__(self, run: Cli, *words: str, rows: int = 30, columns: int = 70) -> None:
        self._screen, theirs = os.openpty()
        self._shown = b""
        self.resize(rows, columns)
        self._modes = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *run.command, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**run.environment, "TERM": "xterm"},
        )
        self._theirs = theirs

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize_until(self, rows: int, columns: int, seen: Callable[[], bool]) -> None:
        """Give it a new size, again and again until that is seen: who does not listen yet misses the signal."""

        def tried() -> bool:
            self.resize(rows, columns - 1)
            self.resize(rows, columns)
            return seen()

        until(tried)

    def type(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    def expect(self, words: bytes, *, timeout_s: float = 60) -> None:
        """Wait until ``words`` are shown; what came before them is forgotten."""
        end = time.monotonic() + timeout_s
        while words not in self._shown:
            ready, _, _ = select.select([self._screen], [], [], max(0, end - time.monotonic()))
            assert ready, (words, self._shown)
            self._shown += os.read(self._screen, 65536)
        self._shown = self._shown.partition(words)[2]

    def ask(self, question: bytes, answer: bytes) -> None:
        """Type a line until its answer is shown: a size takes a moment to arrive."""
        until(lambda: self.answers(question, answer))

    def ended(self) -> int:
        """Wait for the command's end: its exit code, when it left the terminal as it was."""
        code = self.process.wait(timeout=60)
        assert termios.tcgetattr(self._theirs) == self._modes
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._screen)
        os.close(self._theirs)

    def answers(self, question: bytes, answer: bytes) -> bool:
        self.type(question + b"; echo as''ked\n")
        end = time.monotonic() + 60
        while b"asked" not in self._shown:
            ready, _, _ = select.select([self._screen], [], [], max(0, end - time.monotonic()))
            assert ready, self._shown
            self._shown += os.read(self._screen, 65536)
        before, _, self._shown = self._shown.partition(b"asked")
        return answer in before


@contextmanager
def terminal(run: Cli, *words: str) -> Iterator[Terminal]:
    made = Terminal(run, *words)
    try:
        yield made
    finally:
        made.close()
