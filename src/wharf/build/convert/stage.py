"""A stage on its way: the layers so far, and the configuration that they will have."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

from wharf.build.convert.options import Options
from wharf.build.convert.scope import expanded, pairs
from wharf.build.dockerfile.words import Expansion
from wharf.build.graph.operations import Operation
from wharf.build.graph.vertex import Description, Edge, Vertex
from wharf.images.platform import Platform
from wharf.spec.oci_image import ExecutionConfig, History, ImageConfig

COMMENT = "buildkit.dockerfile.v0"
"""What Docker's images carry in each line of their history."""


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable that was used and had no value."""

    name: str
    lines: tuple[int, int]
    known: tuple[str, ...] = field(default=(), compare=False)  # the variables that there were


@dataclass(slots=True)
class StageState:
    """One stage; instructions change it one after the other."""

    name: str  # to people: its own, or stage-N
    platform: Platform
    options: Options
    escape: str
    edge: Edge | None = None  # the file system so far; None: nothing
    image: ImageConfig = field(default_factory=ImageConfig)
    environment: dict[str, str] = field(default_factory=dict)  # with the arguments
    arguments: dict[str, str | None] = field(default_factory=dict)  # declared in the stage, in order
    total: int = 0  # numbered steps
    step: int = 0
    ignore_cache: bool = False
    command_set: bool = False
    workdir_set: bool = False
    epoch_s: int | None = None
    inherited: int = 0  # lines of the history that it began with
    triggers: tuple[str, ...] = ()
    unset: dict[Unset, None] = field(default_factory=dict)  # in order, each once

    @property
    def config(self) -> ExecutionConfig:
        """The part of the configuration that says how to run it."""
        return self.image.setdefault("config", {})

    @property
    def workdir(self) -> str:
        """Where its commands run."""
        return self.config.get("WorkingDir") or "/"

    def expanded(
        self,
        text: str,
        lines: tuple[int, int],
        *,
        environment: Mapping[str, str] | None = None,
        document: bool = False,
    ) -> Expansion:
        """Return ``text`` with its variables replaced; remembers those that have no value.

        Args:
            text: as written.
            lines: where it stands.
            environment: other values than the stage's.
            document: it is a here-document's: quotes are letters like others, and a backslash escapes.

        Raises:
            DockerfileError: it is malformed; with its lines.
        """
        values = self.environment if environment is None else environment
        found = expanded(text, values, lines, "\\" if document else self.escape, raw=document)
        for name in sorted(found.missing - self.arguments.keys()):
            self.unset[Unset(name, lines, tuple(values))] = None
        return found

    def next_name(self, text: str) -> str:
        """Return the name of the next numbered step."""
        self.step += 1
        stage = f"{self.name} " if self.name else ""
        return f"[{stage}{self.step}/{self.total}] {text}"

    def vertex(
        self,
        operation: Operation,
        inputs: tuple[Edge, ...],
        name: str,
        lines: tuple[int, int],
        environment: tuple[str, ...] = (),
    ) -> Edge:
        """Return the output of an operation of this stage."""
        about = Description(name, lines, ignore_cache=self.ignore_cache, environment=environment)
        return Vertex(operation, inputs, str(self.platform), about).output()

    def record(self, what: str, *, layer: bool = False, buildkit: bool = False) -> None:
        """Add a line to the history."""
        entry: History = {"created_by": what + " # buildkit" * buildkit, "comment": COMMENT}
        if not layer:
            entry["empty_layer"] = True
        self.image.setdefault("history", []).append(entry)

    @property
    def own_layers(self) -> int:
        """How many layers its own instructions make."""
        lines = (self.image.get("history") or [])[self.inherited :]
        return sum(not line.get("empty_layer") for line in lines)

    def child(self, name: str, platform: Platform) -> StageState:
        """Return a stage that starts where this one ended."""
        return StageState(
            name=name,
            platform=platform,
            options=self.options,
            escape=self.escape,
            edge=self.edge,
            image=copy.deepcopy(self.image),
            environment=pairs(self.config.get("Env") or []) | self._inherited(),
            arguments=dict(self.arguments),
            epoch_s=self.epoch_s,
            triggers=tuple(self.config.get("OnBuild") or ()),
        )

    def _inherited(self) -> dict[str, str]:
        """Return the arguments that a stage built from this one sees (Dockerfile reference, ARG "Scope")."""
        return {name: self.environment[name] for name in self.arguments if name in self.environment}
