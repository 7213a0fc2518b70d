"""How operations go, in docker compose's words: on a terminal a line an object, else a line an event, or JSON."""

from __future__ import annotations

import os
import re
import sys
import threading
from typing import Literal, TextIO

from wharf.cli.command import Session
from wharf.cli.compose.project import flags_of
from wharf.compose.load.environment import is_on
from wharf.compose.plan.operations import Operation
from wharf.lib.light_json import dumps

State = Literal["start", "done", "failed"]

# kind -> what it is about, and the words for its beginning and its end
_WORDS = {
    "CreateNetwork": ("Network", "Creating", "Created"),
    "RemoveNetwork": ("Network", "Removing", "Removed"),
    "CreateVolume": ("Volume", "Creating", "Created"),
    "RemoveVolume": ("Volume", "Removing", "Removed"),
    "RemoveImage": ("Image", "Removing", "Removed"),
    "CreateContainer": ("Container", "Creating", "Created"),
    "StartContainer": ("Container", "Starting", "Started"),
    "StopContainer": ("Container", "Stopping", "Stopped"),
    "RemoveContainer": ("Container", "Removing", "Removed"),
    "RestartContainer": ("Container", "Restarting", "Started"),
    "KillContainer": ("Container", "Killing", "Killed"),
    "PauseContainer": ("Container", "Pausing", "Paused"),
    "UnpauseContainer": ("Container", "Unpausing", "Unpaused"),
    "RunPreStart": ("Service", "pre_start", "pre_start done"),
    "RunProvider": ("Service", "Providing", "Provided"),
    "StopProvider": ("Service", "Stopping", "Stopped"),
    "RemoveProvider": ("Service", "Removing", "Removed"),
    "Await": ("Service", "Waiting", "Ready"),
}
_TEMPORARY = re.compile(r"^[0-9a-f]{12}_")


def described(operation: Operation) -> tuple[str, str, str] | None:
    """Return (name, word for its beginning, for its end); None for what is only a part of another change."""
    if operation.kind not in _WORDS:
        return None
    what, begins, ends = _WORDS[operation.kind]
    name = operation.details.name or operation.details.target
    if what == "Service" or not name:
        name = operation.subject.partition(":")[2]
    if operation.kind == "CreateContainer" and _TEMPORARY.match(name):
        return f"Container {_TEMPORARY.sub('', name)}", "Recreate", "Recreated"
    return f"{what} {name}", begins, ends


class Progress:
    """Shows operations as they begin and end."""

    def __init__(self, out: TextIO, mode: str) -> None:
        """Prepare.

        Args:
            out: Where to.
            mode: ``tty``, ``plain``, ``json`` or ``quiet``.
        """
        self._out = out
        self._mode = mode
        self._lock = threading.Lock()
        self._lines: list[str] = []  # on a terminal: the objects, in the order of their lines

    def __call__(self, operation: Operation, state: State) -> None:
        """Tell of an operation."""
        found = described(operation)
        if found is not None:
            name, begins, ends = found
            self.tell(name, {"start": begins, "done": ends, "failed": "Error"}[state])

    def tell(self, name: str, news: str) -> None:
        """Tell of an object's new state; may be called from several threads."""
        with self._lock:
            self._tell(name, news)

    def _tell(self, name: str, news: str) -> None:
        if self._mode == "quiet":
            return
        if self._mode == "json":
            self._out.write(dumps({"id": name, "status": news}) + "\n")
        elif self._mode == "plain":
            self._out.write(f" {name}  {news}\n")
        else:
            self._renew(name, news)
        self._out.flush()

    def _renew(self, name: str, news: str) -> None:
        if name not in self._lines:
            self._lines.append(name)
            self._out.write(f" {name}  {news}\n")
            return
        up = len(self._lines) - self._lines.index(name)
        self._out.write(f"\033[{up}A\r\033[K {name}  {news}\033[{up}B\r")


def progress_of(session: Session) -> Progress:
    """Return the progress that the flags and the terminal ask for, on stderr."""
    mode = flags_of(session).text("progress") or "auto"
    if mode == "auto":
        mode = "tty" if sys.stderr.isatty() and flags_of(session).text("ansi") != "never" else "plain"
    out = sys.stdout if is_on(os.environ.get("COMPOSE_STATUS_STDOUT", "")) else sys.stderr
    return Progress(out, mode)
