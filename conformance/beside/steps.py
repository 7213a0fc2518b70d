"""What is asked: sequences of requests, as data. A sequence begins on a daemon that has an image and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = "1.51"
"""The newest version of the API that dockerd 28 speaks."""
IMAGE = "busybox:latest"


@dataclass(frozen=True, slots=True)
class Step:
    """One request. ``@name`` in its path and in its body is the id that an earlier step kept under that name.

    A step whose names nobody kept is not sent. ``@since`` and ``@now`` are the times at which the sequence began, and
    is now. ``look`` tells how the answer is read: as JSON if it is, as ``frames`` of a multiplexed stream, as
    ``lines`` of JSON, as a ``tar`` archive, as ``bytes``, ``sorted``, or for the ``shape`` of JSON alone. A step with
    ``until`` is asked again until its answer has that text; only the last answer counts.
    """

    method: str
    path: str
    body: object = None  # bytes as they are; anything else is sent as JSON
    keep: str = ""  # the name under which the answer's Id is kept
    headers: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes | None = None
    look: str = ""
    version: str = VERSION
    patience_s: float = 20.0
    until: bytes = b""
    silent: bool = False  # whether the answer is not compared

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps that build on each other, and what tidies up behind them."""

    name: str
    steps: tuple[Step, ...]


def create(name: str = "c", /, *, query: str = "", version: str = VERSION, **config: object) -> Step:
    """Return the step that creates a container; its configuration is a shell that waits unless it is given."""
    body = {"Image": IMAGE, "Cmd": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"], **config}
    return Step("POST", f"/containers/create{query}", body, keep=name, version=version)


def inspect(name: str = "c", version: str = VERSION) -> Step:
    """Return the step that looks at a container."""
    return Step("GET", f"/containers/@{name}/json", version=version)


def start(name: str = "c") -> Step:
    """Return the step that starts a container."""
    return Step("POST", f"/containers/@{name}/start")


def wait(name: str = "c", query: str = "") -> Step:
    """Return the step that waits for a container's end."""
    return Step("POST", f"/containers/@{name}/wait{query}")


def logs(name: str = "c") -> Step:
    """Return the step that reads what a container said."""
    return Step("GET", f"/containers/@{name}/logs?stdout=1&stderr=1", look="frames")


def remove(name: str = "c") -> Step:
    """Return the step that takes a container away, whatever it does."""
    return Step("DELETE", f"/containers/@{name}?force=1&v=1", silent=True)


def _with(config: dict[str, object], **usual: object) -> dict[str, Any]:
    return {**usual, **config}


def box(*then: Step, **config: object) -> tuple[Step, ...]:
    """Return steps with a container around ``then`` that runs and hears signals."""
    waits = ["sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"]
    made = create("c", query="?name=box", **_with(config, Cmd=waits))
    ready = Step("GET", "/containers/@c/logs?stdout=1", until=b"ready", silent=True)
    return (made, start(), ready, *then, remove())


def get(path: str, look: str = "") -> Step:
    """Return a request for a document."""
    return Step("GET", path, look=look)


def post(path: str, body: object = None, keep: str = "", look: str = "") -> Step:
    """Return a request that does something."""
    return Step("POST", path, body, keep, look=look)


def delete(path: str) -> Step:
    """Return a request that removes something."""
    return Step("DELETE", path)
