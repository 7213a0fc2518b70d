"""Run programs: the only place that uses subprocess. For daemon and tools, never while a container starts."""

from __future__ import annotations

import os
import signal
import subprocess  # this module is the one that may
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, NamedTuple

from wharf.errors import Unavailable

_GRACE_S = 10.0


class Result(NamedTuple):
    """How a program ended: its exit code (-n: signal n ended it) and what it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


class Stop:
    """Ends the programs that one piece of work runs, from another thread, as tasks are cancelled.

    A program that is run with it has a session of its own, and is ended with all that it started there.
    """

    def __init__(self, grace_s: float = _GRACE_S) -> None:
        """Prepare.

        Args:
            grace_s: Seconds that a program has to end by itself (SIGTERM) before it is killed; 0: none.
        """
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._asked = False

    def ask(self) -> None:
        """End what runs, and let nothing more be run; does not wait."""
        with self._lock:
            self._asked = True
        self._end()

    @contextmanager
    def heeded(self, child: subprocess.Popen[bytes]) -> Iterator[None]:
        """End ``child`` when it is asked for in the block, or was before; what it leaves of its session is killed."""
        with self._lock:
            self._groups.add(child.pid)
            asked = self._asked
        try:
            if asked:
                self._end()
            yield
        finally:
            with self._lock:
                if self._asked:  # a child of its own may have ignored SIGTERM, and nobody waits for that one
                    with suppress(ProcessLookupError):
                        os.killpg(child.pid, signal.SIGKILL)
                self._groups.discard(child.pid)
        self.check()

    def check(self) -> None:
        """Raise if it was asked for.

        Raises:
            Unavailable: it was.
        """
        if self._asked:
            raise Unavailable("the request was cancelled")

    def _end(self) -> None:
        self._signal(signal.SIGTERM if self._grace_s else signal.SIGKILL)
        if self._grace_s:
            insisting = threading.Timer(self._grace_s, self._signal, [signal.SIGKILL])
            insisting.daemon = True
            insisting.start()

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            for group in self._groups:
                # One that has been reaped an instant ago is not another's yet: the kernel gives numbers out in turn.
                with suppress(ProcessLookupError):
                    os.killpg(group, number)


def run(
    arguments: Sequence[str],
    *,
    stdin: bytes | int | None = None,
    timeout_s: float | None = None,
    environment: Mapping[str, str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    pass_fds: Sequence[int] = (),
    stop: Stop | None = None,
) -> Result:
    """Run a program to its end and return how it ended; blocking. It is killed when the time is up.

    Args:
        arguments: the program (looked up in PATH) and its arguments; no shell is involved.
        stdin: what it reads, or a descriptor to read from; None gives it /dev/null.
        timeout_s: seconds; None waits for ever.
        environment: all of its environment; None copies ours.
        folder: its working directory.
        pass_fds: descriptors it keeps, by the same number.
        stop: by which another thread may end it.

    Raises:
        FileNotFoundError: no such program, or no such folder.
        TimeoutError: it ran longer than ``timeout_s``.
        Unavailable: it was ended by ``stop``.
    """
    options: dict[str, Any] = {
        "stdin": subprocess.PIPE if isinstance(stdin, bytes) else _or_null(stdin),
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": None if environment is None else dict(environment),
        "cwd": folder,
        "pass_fds": tuple(pass_fds),
    }
    written = stdin if isinstance(stdin, bytes) else None
    if stop is not None:
        stop.check()
        options["start_new_session"] = True
    with subprocess.Popen(list(arguments), **options) as child:
        try:
            with stop.heeded(child) if stop is not None else nullcontext():
                stdout, stderr = child.communicate(written, timeout_s)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{arguments[0]} took longer than {timeout_s} s") from error
        finally:
            _kill(child, whole=stop is not None)
    return Result(child.returncode, stdout, stderr)


def _kill(child: subprocess.Popen[bytes], *, whole: bool) -> None:
    """Kill what has not ended; of its session, too."""
    if whole and child.returncode is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def spawn(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    log: str | os.PathLike[str] = os.devnull,
) -> int:
    """Start a program in a session of its own and return its pid; the caller reaps it.

    It reads /dev/null, and what it writes goes to the file ``log``, which is made anew.
    """
    with open(log, "wb") as output:
        child = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    child.returncode = 0  # the caller reaps it: keep Popen from warning, and from waiting for it
    return child.pid


def _or_null(stdin: int | None) -> int:
    return subprocess.DEVNULL if stdin is None else stdin
