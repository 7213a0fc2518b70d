"""Providers: asked before containers are made, for these are told what providers say; stopped and gone after them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Observed
from wharf.compose.plan.operations import Plan
from wharf.compose.plan.work import Options, Work, service_order


def plan_providers(work: Work) -> None:
    """Plan what providers do, each after those it depends on."""
    for name in service_order(work.project):
        service = work.project.services[name]
        if service.provider is None:
            continue
        needs = [number for other in service.depends_on for number in work.started.get(other, ())]
        work.started[name] = [work.plan.add("RunProvider", f"service:{name}", "a provider is asked each time", needs)]


def provision(project: Project) -> Plan:
    """Return the plan that has everything provided, and does nothing else."""
    work = Work(project, Observed(), Options())
    plan_providers(work)
    return work.plan


def providers_of(project: Project) -> frozenset[str]:
    """Return the services that are provided by programs outside."""
    return frozenset(name for name, service in project.services.items() if service.provider is not None)


def plan_withdrawal(plan: Plan, kind: str, names: Collection[str], depends_on: Mapping[str, Iterable[str]]) -> None:
    """Add what providers do after all that depends on them has been dealt with.

    Args:
        plan: Has what is done to containers already.
        kind: ``StopProvider`` (pauses what is provided) or ``RemoveProvider`` (takes it away).
        names: The provided services that are meant.
        depends_on: service → those it depends on.
    """
    done: dict[str, list[int]] = {}
    for operation in plan:
        done.setdefault(operation.service, []).append(operation.number)
    waiting = sorted(names)
    while waiting:
        # Of two providers the one that depends on the other goes first; cycles were refused when files were loaded.
        name = next(one for one in waiting if not any(one in depends_on.get(other, ()) for other in waiting))
        waiting.remove(name)
        needs = [n for other, others in depends_on.items() if name in others for n in done.get(other, ())]
        done[name] = [plan.add(kind, f"service:{name}", "its provider is told", needs)]
