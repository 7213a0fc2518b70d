"""Programs that people have beside us: credential helpers, providers of services, git. Run by posix_spawn(3).

The subprocess module costs 29 ms to import, which a command line has no time for; this is what is needed of it.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Self

MAX_ANSWER = 1 << 20
_LAST = 2000
_SIGPIPE = 13  # the interpreter ignores it; programs are not to


class Running:
    """A program that runs. What it says on its standard error is kept apart, for who has to tell of a failure."""

    def __init__(
        self, arguments: Sequence[str], *, question: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it; a name without a slash is looked up in ``PATH``.

        Args:
            arguments: Its name or path, and what follows.
            question: What it reads on its standard input; small, for it is written at once.
            environment: Its variables; ours where None.

        Raises:
            OSError: there is no such program, or it cannot be run.
        """
        self._errors = os.memfd_create("errors")
        asked, ask = os.pipe()
        answered, answer = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, asked, 0), (os.POSIX_SPAWN_DUP2, answer, 1),
                   (os.POSIX_SPAWN_DUP2, self._errors, 2)]  # fmt: skip
        variables = os.environ if environment is None else environment
        try:
            self._pid = os.posix_spawnp(
                arguments[0], list(arguments), variables, file_actions=actions, setsigdef=[_SIGPIPE]
            )
        except BaseException:
            for descriptor in (self._errors, ask, answered):
                os.close(descriptor)
            raise
        finally:
            os.close(asked)
            os.close(answer)
        self._code: int | None = None
        self._out = os.fdopen(answered, "rb")
        try:
            os.write(ask, question)
        except BrokenPipeError:
            pass  # it ended, or does not want to know
        finally:
            os.close(ask)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, if it still runs."""
        if self._code is None:
            os.kill(self._pid, 9)
            self.wait()
        self._out.close()
        os.close(self._errors)

    def read(self, limit: int = MAX_ANSWER) -> bytes:
        """Return what it writes until it closes its standard output, at most ``limit`` bytes."""
        return self._out.read(limit)

    def lines(self) -> Iterator[bytes]:
        """Yield its lines as they come, each at most MAX_ANSWER bytes."""
        while line := self._out.readline(MAX_ANSWER):
            yield line

    def wait(self) -> int:
        """Wait for its end; return its exit code, or minus the signal that ended it."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def complaint(self) -> str:
        """Return the end of what it said on its standard error."""
        size = os.fstat(self._errors).st_size
        return os.pread(self._errors, _LAST, max(size - _LAST, 0)).decode("utf-8", "replace").strip()


def ask(
    arguments: Sequence[str], question: bytes = b"", *, environment: Mapping[str, str] | None = None
) -> tuple[int, bytes, str]:
    """Run a program to its end; return its exit code, what it wrote, and what it complained of.

    Raises:
        OSError: it cannot be run, or answers more than MAX_ANSWER bytes.
    """
    with Running(arguments, question=question, environment=environment) as running:
        said = running.read(MAX_ANSWER + 1)
        if len(said) > MAX_ANSWER:  # it would wait for ever for somebody to read the rest
            raise OSError(errno.EFBIG, f"Its answer is longer than {MAX_ANSWER} bytes", arguments[0])
        return running.wait(), said, running.complaint()


def in_path(name: str, environment: Mapping[str, str]) -> str:
    """Return the program of that name in ``PATH``; empty when there is none."""
    for folder in environment.get("PATH", os.defpath).split(":"):
        path = os.path.join(folder or ".", name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ""
