"""A plan: operations, what each needs first, and why each is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

KINDS = (
    "CreateNetwork", "RemoveNetwork", "Disconnect", "CreateVolume", "RemoveVolume", "CreateContainer",
    "StartContainer", "StopContainer", "RemoveContainer", "RenameContainer", "RunPreStart", "RunProvider",
    "StopProvider", "RemoveProvider", "Await", "RemoveImage",
    "RestartContainer", "KillContainer", "PauseContainer", "UnpauseContainer",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What some kinds of operation have beside their subject."""

    target: str = ""  # the container's id (#3: the one that operation 3 makes), or the resource's name in the engine
    inherit: str = ""  # the container that a new one takes its anonymous volumes from
    name: str = ""  # a new container's name; the network to disconnect from
    condition: str = ""  # what is waited for
    required: bool = True  # whether a failed wait is a failure
    hook: int = -1  # which of the service's pre_start


NO_DETAILS = Details()


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the Engine API, or one wait."""

    number: int  # from 1
    kind: str  # one of KINDS
    subject: str  # what it is about: service:web:1, network:front, volume:data
    cause: str
    needs: tuple[int, ...] = ()
    details: Details = NO_DETAILS

    @property
    def service(self) -> str:
        """The service it is about, empty for other things."""
        kind, _, rest = self.subject.partition(":")
        return rest.partition(":")[0] if kind == "service" else ""

    @property
    def replica(self) -> int:
        """The container's number in its service; 0 where there is none."""
        last = self.subject.rpartition(":")[2]
        return int(last) if self.service and last.isdigit() else 0

    def __str__(self) -> str:
        needs = ",".join(map(str, self.needs))
        return f"[{needs}] -> #{self.number} {self.subject}, {self.kind}, {self.cause}"


@dataclass(slots=True)
class Plan:
    """Operations; each comes after what it needs."""

    operations: list[Operation] = field(default_factory=list)

    def add(
        self, kind: str, subject: str, cause: str, needs: Iterable[int | None] = (), details: Details = NO_DETAILS
    ) -> int:
        """Append an operation and return its number; needs that are None are none."""
        number = len(self.operations) + 1
        known = tuple(sorted({need for need in needs if need}))
        self.operations.append(Operation(number, kind, subject, cause, known, details))
        return number

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    def __str__(self) -> str:
        return "".join(f"{operation}\n" for operation in self.operations)
