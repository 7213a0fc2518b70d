"""Starting what does not run, after what it depends on is as it has to be."""

from __future__ import annotations

from collections.abc import Collection

from wharf.compose import identity
from wharf.compose.load.profiles import closure
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.operations import Details, Plan
from wharf.compose.plan.work import Options, Work, service_order, subject_of

_RUNS = frozenset({"running", "restarting", "paused"})
_STARTED, _HEALTHY, _COMPLETED = "service_started", "service_healthy", "service_completed_successfully"
_RUNNING = "running"


def plan_starts(work: Work, service: Service) -> None:
    """Plan the starts of one service; services are planned after those they depend on."""
    fresh = _fresh(work, service)
    idle = [one for one in work.staying(service.name) if one.state not in _RUNS or one.id in work.stopped]
    never = [one for one in idle if one.state == "created"]
    if not fresh and not idle:
        return
    waits = [
        plan_wait(work, name, how.condition, required=how.required)
        for name, how in sorted(service.depends_on.items())
        if name in work.project.services
    ]
    first = {subject: (target, [need]) for subject, (target, need) in fresh.items()}
    first |= {subject_of(one): (one.id, []) for one in never}
    ready = _pre_start(work, service, first, waits)
    started = []
    for subject, (target, need) in fresh.items():
        details = Details(target=target, name=_name(work, service, subject))
        needs = [*ready[subject], need, *waits]
        started.append(work.plan.add("StartContainer", subject, "created", needs, details))
    for one in idle:
        needs = [*ready.get(subject_of(one), []), work.stopped.get(one.id), *waits]
        details = Details(target=one.id, name=one.name)
        started.append(work.plan.add("StartContainer", subject_of(one), _why_start(work, one), needs, details))
    work.started[service.name] = started


def _name(work: Work, service: Service, subject: str) -> str:
    return identity.container_name(work.project, service, int(subject.rpartition(":")[2]))


def _why_start(work: Work, one: Container) -> str:
    return "it was stopped" if one.id in work.stopped else f"it is {one.state}"


def _fresh(work: Work, service: Service) -> dict[str, tuple[str, int]]:
    """Return subject → (target, the operation after which it has its name) of the containers that are made."""
    found: dict[str, tuple[str, int]] = {}
    for operation in work.plan:
        if operation.service != service.name:
            continue
        if operation.kind == "CreateContainer":
            found[operation.subject] = (f"#{operation.number}", operation.number)
        elif operation.kind == "RenameContainer":
            found[operation.subject] = (operation.details.target, operation.number)
    return dict(sorted(found.items(), key=lambda item: int(item[0].rpartition(":")[2])))


def _pre_start(
    work: Work, service: Service, first: dict[str, tuple[str, list[int]]], waits: list[int | None]
) -> dict[str, list[int]]:
    """Plan ``pre_start``, in the declared order: once a container, or once for all before any of them starts.

    Args:
        work: The plan.
        service: Has the hooks.
        first: subject → (target, needs) of containers that were never started.
        waits: What all of them wait for.

    Returns:
        subject → the operations that its start has to wait for.
    """
    ready: dict[str, list[int]] = {subject: list(needs) for subject, (_, needs) in first.items()}
    for index, hook in enumerate(service.pre_start) if first else ():
        if hook.per_replica:
            for subject, (target, _) in first.items():
                details = Details(target=target, hook=index)
                needs = [*ready[subject], *waits]
                ready[subject] = [work.plan.add("RunPreStart", subject, "before its first start", needs, details)]
            continue
        target = next(iter(first.values()))[0]
        needs = [*(need for needs in ready.values() for need in needs), *waits]
        subject = f"service:{service.name}"
        details = Details(target=target, hook=index)
        run = work.plan.add("RunPreStart", subject, "before the first start", needs, details)
        ready = {each: [run] for each in ready}
    return ready


def plan_wait(work: Work, name: str, condition: str, *, required: bool) -> int | None:
    """Plan the wait for a service's condition; None where there is nothing to wait for."""
    starts = work.started.get(name, [])
    service = work.project.services[name]
    if service.provider is not None or condition == _STARTED:
        return starts[-1] if starts else None
    if not starts and all(_is(one, condition) for one in work.staying(name)):
        return None
    key = (name, condition)
    if key not in work.waits:
        word = condition.removeprefix("service_").replace("_", " ")
        details = Details(condition=condition, required=required)
        work.waits[key] = work.plan.add("Await", f"service:{name}", f"it is to be {word}", starts, details)
    return work.waits[key]


def _is(one: Container, condition: str) -> bool:
    if condition == _HEALTHY:
        return one.health == "healthy"
    if condition == _COMPLETED:
        return one.state == "exited" and one.exit_code == 0
    return one.state == "running" and one.health != "starting"


def plan_waits(work: Work) -> None:
    """Plan the waits of `up --wait`: until each service is healthy, or runs where it has no health check."""
    for name in sorted(work.project.services):
        condition = _HEALTHY if work.project.services[name].healthcheck else _RUNNING
        plan_wait(work, name, condition, required=True)


def plan_start(project: Project, observed: Observed, services: Collection[str], *, wait: bool) -> Plan:
    """Return the plan of `start`: what is there is started as `up` would, and nothing is made or changed.

    Args:
        project: What is wished.
        observed: What there is.
        services: Only these, and what they depend on; none: all.
        wait: Until all run, or are healthy.
    """
    work = Work(project, observed, Options(wait=wait))
    meant = closure(project, services) if services else set(project.services)
    for name in service_order(project):
        if name in meant and project.services[name].provider is None:
            plan_starts(work, project.services[name])
    if wait:
        plan_waits(work)
    return work.plan
