"""Run programs: the only place that uses subprocess. For daemon and tools, never while a container starts."""

from __future__ import annotations

import os
import subprocess  # this module is the one that may
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Result(NamedTuple):
    """How a program ended: its exit code (-n: signal n ended it) and what it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


def run(
    arguments: Sequence[str],
    *,
    stdin: bytes | int | None = None,
    timeout_s: float | None = None,
    environment: Mapping[str, str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Result:
    """Run a program to its end and return how it ended; blocking. It is killed when the time is up.

    Args:
        arguments: the program (looked up in PATH) and its arguments; no shell is involved.
        stdin: what it reads, or a descriptor to read from; None gives it /dev/null.
        timeout_s: seconds; None waits for ever.
        environment: all of its environment; None copies ours.
        folder: its working directory.
        pass_fds: descriptors it keeps, by the same number.

    Raises:
        FileNotFoundError: no such program, or no such folder.
        TimeoutError: it ran longer than ``timeout_s``.
    """
    source: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": _or_null(stdin)}
    try:
        done = subprocess.run(
            list(arguments),
            **source,
            capture_output=True,
            timeout=timeout_s,
            env=None if environment is None else dict(environment),
            cwd=folder,
            pass_fds=tuple(pass_fds),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{arguments[0]} took longer than {timeout_s} s") from error
    return Result(done.returncode, done.stdout, done.stderr)


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
