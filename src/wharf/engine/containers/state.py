"""A container's statuses, what each allows, and the texts that refuse: the one place that tests a status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from wharf.engine.containers.health import Health
from wharf.errors import Conflict, NotModified, WharfError
from wharf.lib.timestamps import ZERO as NEVER

Status = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
Verb = Literal[
    "start", "stop", "kill", "pause", "unpause", "exec", "resize", "top", "rename", "remove", "update", "attach",
    "export", "commit",
]  # fmt: skip

ALLOWED: Final[dict[Status, frozenset[Verb]]] = {
    "created": frozenset({"start", "rename", "remove", "update", "attach", "export", "commit"}),
    "running": frozenset(
        {"stop", "kill", "pause", "exec", "resize", "top", "rename", "update", "attach", "export", "commit"}
    ),
    "paused": frozenset({"stop", "kill", "unpause", "resize", "top", "rename", "update", "export", "commit"}),
    "restarting": frozenset({"stop", "rename", "update", "start", "export", "commit"}),
    "removing": frozenset(),
    "exited": frozenset({"start", "rename", "remove", "update", "attach", "export", "commit"}),
    "dead": frozenset({"remove"}),
}


@dataclass(frozen=True, slots=True)
class State:
    """What became of a container; replaced as a whole, never changed in place."""

    status: Status = "created"
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started_at: str = NEVER
    finished_at: str = NEVER
    stopped_by_user: bool = False
    restart_count: int = 0
    health: Health | None = None  # None: nobody checks it
    volumes_too: bool = False  # while it is removed: its anonymous volumes go with it

    @property
    def alive(self) -> bool:
        """Whether a process runs in it, thawed or frozen."""
        return self.status in ("running", "paused")

    def with_status(self, status: Status) -> State:
        """Return the same state under another status."""
        return replace(self, status=status)


def require(verb: Verb, state: State, *, container_id: str, name: str) -> None:
    """Raise what Docker answers when ``verb`` cannot be done to a container in ``state``."""
    if verb not in ALLOWED[state.status]:
        raise _refusal(verb, state.status, container_id, name)


def _refusal(verb: Verb, status: Status, container_id: str, name: str) -> WharfError:
    if (verb, status) == ("start", "running") or (verb == "stop" and status in ("created", "exited", "dead")):
        return NotModified(f"container {container_id} is already {_PAST[verb]}")
    text = _TEXTS.get((verb, status)) or _TEXTS.get((None, status)) or _TEXTS.get((verb, None)) or _NOT_RUNNING
    return Conflict(text.format(id=container_id, name=name, status=status, past=_PAST[verb]))


_NOT_RUNNING: Final = "container {id} is not running"
_STOP_FIRST: Final = "stop the container before removing or force remove"
_TEXTS: Final[dict[tuple[Verb | None, Status | None], str]] = {
    ("start", "paused"): "cannot start a paused container, try unpause instead",
    ("start", "dead"): "container is marked for removal and cannot be started",
    ("pause", "paused"): "Container {id} is already paused",
    ("exec", "paused"): "Container {id} is paused, unpause the container before exec",
    ("attach", "paused"): "container {id} is paused, unpause the container before attach",
    ("remove", "paused"): 'cannot remove container "{name}": container is paused: unpause and then ' + _STOP_FIRST,
    ("remove", "restarting"): 'cannot remove container "{name}": container is restarting: ' + _STOP_FIRST,
    ("remove", "running"): 'cannot remove container "{name}": container is running: ' + _STOP_FIRST,
    (None, "removing"): "container {id} is marked for removal and cannot be {past}",
    (None, "restarting"): "container {id} is restarting, wait until the container is running",
    ("kill", None): "cannot kill container: {name}: container {id} is not running",
    ("unpause", None): "Container {id} is not paused",
}
_PAST: Final[dict[Verb, str]] = {
    "start": "started",
    "stop": "stopped",
    "kill": "killed",
    "pause": "paused",
    "unpause": "unpaused",
    "exec": "entered",
    "resize": "resized",
    "top": "listed",
    "rename": "renamed",
    "remove": "removed again",
    "update": "updated",
    "attach": "attached to",
    "export": "exported",
    "commit": "committed",
}
