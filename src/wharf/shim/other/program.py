"""Another runtime as a program: its commands, and why they failed (runc(8))."""

from __future__ import annotations

import os

from wharf.lib import light_json
from wharf.runtime.errors import StartFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from wharf.runtime.errors import Kind

_NOT_FOUND: Final = ("executable file not found", "no such file or directory")
_NOT_EXECUTABLE: Final = ("permission denied", "is a directory", "exec format error")


class Program:
    """The runtime at ``path``, with its state below ``folder``, which is removed with the shim."""

    __slots__ = ("_arguments", "_log", "path")

    def __init__(self, path: str, arguments: Sequence[str], folder: str) -> None:
        self.path = path
        self._log = f"{folder}/runtime.log"
        self._arguments = [
            path,
            *arguments,
            "--root",
            f"{folder}/runtime",
            "--log",
            self._log,
            "--log-format",
            "json",
        ]

    def run(self, *words: str, stdio: tuple[int, int, int] | None = None) -> None:
        """Run a command to its end, with ``stdio`` as its 0, 1 and 2; without, they are /dev/null.

        Raises:
            StartFailed: it failed, with what it says of it.
        """
        actions = (
            [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(stdio)]
            if stdio
            else [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in range(3)]
        )
        _forget(self._log)
        try:
            pid = os.posix_spawn(
                self.path, [*self._arguments, *words], os.environ, file_actions=actions, setsigmask=()
            )
        except OSError as error:
            raise StartFailed("other", f"cannot execute {self.path}: {(error.strerror or '').lower()}") from error
        _, status = os.waitpid(pid, 0)
        if code := os.waitstatus_to_exitcode(status):
            said = reason(_read(self._log)) or f"it ended with {code}"
            raise StartFailed(kind_of(said), f"{os.path.basename(self.path)} {words[0]}: {said}")


def reason(log: str) -> str:
    """Return the last error in a log of JSON lines; "" for none. Pure."""
    for line in reversed(log.splitlines()):
        try:
            entry = light_json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") in ("error", "fatal", None) and entry.get("msg"):
            return str(entry["msg"])
    return ""


def kind_of(said: str) -> Kind:
    """Return what kind of failure a runtime tells of, by the words that Docker goes by, too. Pure."""
    text = said.lower()
    if any(words in text for words in _NOT_FOUND):
        return "not-found"
    return "not-executable" if any(words in text for words in _NOT_EXECUTABLE) else "other"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
