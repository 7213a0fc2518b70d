"""``down``: everything of a project goes, dependents before what they depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.operations import Details, Plan
from wharf.compose.plan.providers import plan_withdrawal
from wharf.compose.plan.work import subject_of

_CAUSE = "the project goes"


@dataclass(frozen=True, slots=True)
class Going:
    """What goes."""

    services: frozenset[str] = frozenset()  # only these; empty: all, with the networks
    volumes: bool = False
    images: Sequence[str] = ()  # by name
    kept: frozenset[str] = frozenset()  # services whose containers stay: orphans, without --remove-orphans
    external: frozenset[str] = frozenset()  # names of networks and volumes that are not the project's
    provided: frozenset[str] = frozenset()  # services that programs outside provide


def down(observed: Observed, depends_on: Mapping[str, Iterable[str]], going: Going) -> Plan:
    """Return the plan that removes a project.

    Args:
        observed: What there is.
        depends_on: service → those it depends on, as labels or files say.
        going: What of it goes.
    """
    plan = Plan()
    leaving = [
        one
        for one in observed.containers
        if (not going.services or one.service in going.services) and one.service not in going.kept
    ]
    removed: dict[str, list[int]] = {}
    for name in dependents_first({one.service for one in leaving}, depends_on):
        needs = [n for other, others in depends_on.items() if name in others for n in removed.get(other, [])]
        removed[name] = [_remove(plan, one, needs) for one in leaving if one.service == name]
    meant = going.provided if not going.services else going.provided & going.services
    plan_withdrawal(plan, "RemoveProvider", meant, depends_on)
    if not going.services:
        _resources(plan, observed, going, [number for numbers in removed.values() for number in numbers])
    return plan


def _resources(plan: Plan, observed: Observed, going: Going, done: list[int]) -> None:
    for name, network in sorted(observed.networks.items()):
        if network.project and name not in going.external:
            plan.add("RemoveNetwork", f"network:{network.key or name}", _CAUSE, done, Details(target=name))
    for name, volume in sorted(observed.volumes.items()):
        if going.volumes and volume.project and name not in going.external:
            plan.add("RemoveVolume", f"volume:{volume.key or name}", "--volumes", done, Details(target=name))
    for image in going.images:
        plan.add("RemoveImage", f"image:{image}", "--rmi", done, Details(target=image))


def _remove(plan: Plan, one: Container, needs: list[int]) -> int:
    details = Details(target=one.id, name=one.name)
    if one.running:
        needs = [plan.add("StopContainer", subject_of(one), _CAUSE, needs, details)]
    return plan.add("RemoveContainer", subject_of(one), _CAUSE, needs, details)


def dependents_first(names: Iterable[str], depends_on: Mapping[str, Iterable[str]]) -> list[str]:
    """Return ``names``, each after those that depend on it; otherwise by name. Cycles are cut anywhere."""
    done: dict[str, None] = {}
    wanted = set(names)

    def visit(name: str, chain: frozenset[str]) -> None:
        if name in done or name in chain:
            return
        for other, others in sorted(depends_on.items()):
            if name in others and other in wanted:
                visit(other, chain | {name})
        done[name] = None

    for name in sorted(wanted):
        visit(name, frozenset())
    return list(done)


def dependencies(project: Project) -> dict[str, list[str]]:
    """Return service → those it depends on."""
    return {name: list(service.depends_on) for name, service in {**project.disabled, **project.services}.items()}
