"""What is known of how a result was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wharf.build.graph.operations import Exec, Mount, Source
from wharf.build.graph.vertex import Edge, walk


@dataclass(frozen=True, slots=True)
class Material:
    """Something from outside that went into it."""

    uri: str
    digest: Mapping[str, str] = field(default_factory=dict)  # by algorithm


@dataclass(frozen=True, slots=True)
class Facts:
    """One result's."""

    invocation: str  # names the build
    started: str  # RFC 3339
    finished: str
    platform: str  # of the machine that built it
    frontend: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)  # the frontend's options, as they came
    filename: str = ""  # of the Dockerfile
    text: bytes = b""  # the Dockerfile
    remote: Material | None = None  # the main context, when it is not the client's folder
    target: Edge | None = None
    materials: tuple[Material, ...] = ()

    def operations(self) -> Iterator[Exec]:
        """Yield the commands."""
        for vertex in walk(self.target) if self.target else ():
            if isinstance(vertex.operation, Exec):
                yield vertex.operation

    def lent(self, kind: str) -> list[Mount]:
        """Return the mounts of secrets or agents, each of them once by its id."""
        found = {mount.id: mount for run in self.operations() for mount in run.mounts if mount.type == kind}
        return [found[name] for name in sorted(found)]

    @property
    def folders(self) -> list[str]:
        """The client's folders that were used."""
        names = {"dockerfile"} if self.frontend and not self.remote else set[str]()
        for vertex in walk(self.target) if self.target else ():
            if isinstance(vertex.operation, Source) and vertex.operation.scheme == "local" and not self.remote:
                names.add(vertex.operation.rest)
        return sorted(names)

    @property
    def hermetic(self) -> bool:
        """Whether no command had a network."""
        return all(run.network == "none" for run in self.operations())
