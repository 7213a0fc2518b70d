"""Containers of one service: brought to its scale, each to its configuration."""

from __future__ import annotations

from wharf.compose import identity
from wharf.compose.model.service import Service
from wharf.compose.plan.observed import Container
from wharf.compose.plan.operations import Details
from wharf.compose.plan.work import Work, shared_with, subject_of
from wharf.compose.provided.variables import awaits, with_environment


def plan_replicas(work: Work, service: Service) -> None:
    """Plan the containers of one service; services are planned after those they depend on."""
    there = work.staying(service.name)
    for one in _least_wanted(there, len(there) - service.replicas):
        work.remove(one, f"scaled down to {service.replicas}")
        there.remove(one)
    made = [_replace(work, service, one, cause) for one in there if (cause := _why_recreate(work, service, one))]
    taken = {one.number for one in there}
    free = (number for number in range(1, service.replicas + len(taken) + 1) if number not in taken)
    for number in [next(free) for _ in range(service.replicas - len(there))]:
        details = Details(name=identity.container_name(work.project, service, number))
        subject = f"service:{service.name}:{number}"
        made.append(
            work.plan.add("CreateContainer", subject, "no existing container", _needs(work, service), details)
        )
    work.made[service.name] = made


def _least_wanted(there: list[Container], count: int) -> list[Container]:
    """Return those to go when there are too many: what does not run first, then the highest numbers."""
    return sorted(there, key=lambda one: (one.running, -one.number))[: max(count, 0)]


def _needs(work: Work, service: Service) -> list[int]:
    """Return what must be there before a container of the service can be created."""
    needs = [work.resources.get(f"network:{key}", 0) for key in service.networks]
    needs += [work.resources.get(f"volume:{m.source}", 0) for m in service.volumes if m.type == "volume"]
    linked = [link.partition(":")[0] for link in service.links]
    for name in (*shared_with(service), *linked):
        needs += work.made.get(name, [])
    return [need for need in needs if need]


def _replace(work: Work, service: Service, one: Container, cause: str) -> int:
    """Make the new container beside the old one, and let it take the old one's name once that is gone."""
    subject = subject_of(one)
    stopped = _stop_dependents(work, service, one)
    inherit = "" if work.options.renew_volumes else one.id
    details = Details(name=f"{one.id[:12]}_{one.name}", inherit=inherit)
    made = work.plan.add("CreateContainer", subject, cause, _needs(work, service), details)
    removed = work.remove(one, f"replaced by #{made}", [made, *stopped])
    name = identity.container_name(work.project, service, one.number)
    details = Details(target=f"#{made}", name=name)
    return work.plan.add("RenameContainer", subject, "the name is free", [removed], details)


def _stop_dependents(work: Work, service: Service, one: Container) -> list[int]:
    """Stop what wants to be restarted with the service (``depends_on`` with ``restart``)."""
    found: list[int] = []
    for name, other in sorted(work.project.services.items()):
        how = other.depends_on.get(service.name)
        if how is not None and how.restart and one.running:
            cause = f"{service.name}, which it depends on, is replaced"
            found += [stop for each in work.staying(name) if (stop := work.stop(each, cause))]
    return found


def _why_recreate(work: Work, service: Service, one: Container) -> str:
    """Return why a container has to be made anew, empty when it has not."""
    options = work.options
    named = not options.named or service.name in options.named
    how = options.recreate if named else options.recreate_dependencies
    if any(other.id in work.going for name in shared_with(service) for other in work.observed.of(name)):
        return "a container it shares with is replaced"
    if how == "never":
        return ""
    if how == "force":
        return "forced"
    if _has_changed(work, service, one):
        return "the service's configuration changed"
    image = work.observed.images.get(identity.image_name(work.project, service), "")
    if image and one.image and image != one.image:
        return "the image changed"
    return _why_diverged(work, service, one)


def _has_changed(work: Work, service: Service, one: Container) -> bool:
    if awaits(work.project, service) and one.declared_hash:
        # What is yet to be told to the service is not known: it is taken to be what it was.
        return one.declared_hash != identity.service_hash(service)
    if awaits(work.project, service):
        service = with_environment(service, one.environment)
    return one.config_hash != identity.service_hash(service, lambda name: _first_of(work, name))


def _first_of(work: Work, name: str) -> str:
    """Return the id of the container that others share with, the lowest number's; no id if that is yet to be made."""
    there = {one.number: one.id for one in work.staying(name)}
    there |= {operation.replica: "new" for operation in work.plan if operation.number in work.made.get(name, ())}
    return there[min(there)] if there else ""


def _why_diverged(work: Work, service: Service, one: Container) -> str:
    for key in service.networks:
        if f"network:{key}" in work.resources or work.project.networks[key].name not in one.networks:
            return f"not in the network {key}"
    mounted = {(name, place) for kind, name, place in one.mounts if kind == "volume"}
    for mount in service.volumes:
        if mount.type == "volume" and mount.source:
            name = work.project.volumes[mount.source].name
            if f"volume:{mount.source}" in work.resources or (name, mount.target) not in mounted:
                return f"the volume {mount.source} is not mounted"
    return ""
