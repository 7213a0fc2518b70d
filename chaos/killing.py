"""Work in a process of its own, to its end or killed at an instant."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine

Work = Callable[[int], Coroutine[object, object, None]]
"""Does something; writes a byte to the descriptor that it is given once it begins with what counts."""


def timed(what: str, work: Work) -> float:
    """Do work undisturbed and return its seconds.

    Raises:
        RuntimeError: it failed; with its name.
    """
    pid, out = _child(work)
    began = os.read(out, 1)
    start = time.monotonic()
    status = os.waitpid(pid, 0)[1]
    os.close(out)
    if not began or status:
        raise RuntimeError(f"{what} failed undisturbed")
    return time.monotonic() - start


def kill(work: Work, after_s: float) -> None:
    """Begin work and kill it so many seconds later."""
    pid, out = _child(work)
    os.read(out, 1)
    os.close(out)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _child(work: Work) -> tuple[int, int]:
    """Start a process that works; return its id, and what a byte is read from once it begins."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio.run(work(into))
            code = 0
        finally:
            os._exit(code)
    os.close(into)
    return pid, out
