"""What the parts of one convergence share: the wished, the observed, and what the plan has said so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.operations import Details, Plan

Recreate = Literal["diverged", "force", "never"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to converge."""

    recreate: Recreate = "diverged"
    recreate_dependencies: Recreate = "diverged"
    named: frozenset[str] = frozenset()  # the services that were named; empty: all were
    start: bool = True
    remove_orphans: bool = False
    renew_volumes: bool = False
    recreate_volumes: bool = False  # those whose configuration changed, with what is in them
    agreed_volumes: frozenset[str] = frozenset()  # of these, those that the user agreed to lose, where not all
    provided: bool = False  # providers have been asked, and have told their variables
    wait: bool = False  # until all are healthy, or run


@dataclass(slots=True)
class Work:
    """A plan in the making."""

    project: Project
    observed: Observed
    options: Options
    plan: Plan = field(default_factory=Plan)
    resources: dict[str, int] = field(default_factory=dict)  # network:key or volume:key -> its operation
    made: dict[str, list[int]] = field(default_factory=dict)  # service -> operations after which its containers exist
    started: dict[str, list[int]] = field(default_factory=dict)  # service -> operations after which they run
    waits: dict[tuple[str, str], int] = field(default_factory=dict)  # (service, condition) -> its wait
    stopped: dict[str, int] = field(default_factory=dict)  # container -> the operation that stops it
    going: set[str] = field(default_factory=set)  # containers that are removed

    def staying(self, service: str) -> list[Container]:
        """Return the service's containers that are not removed."""
        return [one for one in self.observed.of(service) if one.id not in self.going]

    def stop(self, one: Container, cause: str, needs: Iterable[int | None] = ()) -> int | None:
        """Stop a container that runs; return the operation that does, None where none is needed."""
        if one.running and one.id not in self.stopped:
            details = Details(target=one.id, name=one.name)
            self.stopped[one.id] = self.plan.add("StopContainer", subject_of(one), cause, needs, details)
        return self.stopped.get(one.id)

    def remove(self, one: Container, cause: str, needs: Iterable[int | None] = ()) -> int:
        """Stop and remove a container."""
        needs = list(needs)
        stopped = self.stop(one, cause, needs)
        self.going.add(one.id)
        details = Details(target=one.id, name=one.name)
        return self.plan.add("RemoveContainer", subject_of(one), cause, [*needs, stopped], details)


def subject_of(one: Container) -> str:
    """Return a container as operations name it."""
    return f"service:{one.service}:{one.number}"


def shared_with(service: Service) -> list[str]:
    """Return the services whose containers' namespaces or volumes it uses: it goes when they go."""
    values = (service.network_mode, service.ipc, service.pid or "", service.uts, service.cgroup)
    found = [value.partition(":")[2] for value in values if value.startswith("service:")]
    return found + [one.partition(":")[0] for one in service.volumes_from if not one.startswith("container:")]


def service_order(project: Project) -> list[str]:
    """Return the services' names, each after those it depends on; otherwise by name."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in done or name not in project.services:
            return
        for other in sorted(project.services[name].depends_on):
            visit(other)
        done[name] = None

    for name in sorted(project.services):
        visit(name)
    return list(done)
