"""``up`` and ``create``: from what is there to what is wished, changing only what differs."""

from __future__ import annotations

from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.operations import Plan
from wharf.compose.plan.providers import plan_providers
from wharf.compose.plan.replicas import plan_replicas
from wharf.compose.plan.resources import plan_networks, plan_volumes
from wharf.compose.plan.starts import plan_starts, plan_waits
from wharf.compose.plan.work import Options, Work, service_order


def converge(project: Project, observed: Observed, options: Options) -> Plan:
    """Return the plan; empty when everything is as wished.

    Raises:
        Conflict: a network or volume that must exist outside the project does not, or is another's.
    """
    work = Work(project, observed, options)
    plan_networks(work)
    plan_volumes(work)
    if options.remove_orphans:
        for one in orphans(project, observed):
            work.remove(one, "orphan: no such service in the project")
    if not options.provided:
        plan_providers(work)
    order = service_order(project)
    for name in order:
        service = project.services[name]
        if service.provider is None:
            plan_replicas(work, service)
    if options.start:
        for name in order:
            if project.services[name].provider is None:
                plan_starts(work, project.services[name])
    if options.wait:
        plan_waits(work)
    return work.plan


def orphans(project: Project, observed: Observed) -> list[Container]:
    """Return the containers of services that the project no longer has."""
    known = project.services.keys() | project.disabled.keys()
    return [one for one in observed.containers if one.service not in known and not one.oneoff]
