"""What is asked: sequences of requests, as data. A sequence begins on a daemon that has an image and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VERSION = "1.51"
"""The newest version of the API that dockerd 28 speaks."""
IMAGE = "busybox:latest"


@dataclass(frozen=True, slots=True)
class Step:
    """One request. ``@name`` in its path and in its body is the id that an earlier step kept under that name.

    A step whose names nobody kept is not sent. ``@since`` and ``@now`` are the times at which the sequence began, and
    is now. ``look`` tells how the answer is read: as JSON if it is, as ``frames`` of a multiplexed stream, as
    ``lines`` of JSON, as a ``tar`` archive, or as ``bytes``.
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
