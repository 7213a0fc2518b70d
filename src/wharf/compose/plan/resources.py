"""Networks and volumes: made where they are missing, made anew where they changed."""

from __future__ import annotations

from wharf.compose import identity
from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Observed, Resource
from wharf.compose.plan.operations import Details
from wharf.compose.plan.work import Work
from wharf.errors import Conflict

_ENGINES_OWN = frozenset({"host", "none", "bridge"})


def plan_networks(work: Work) -> None:
    """Plan the project's networks.

    Raises:
        Conflict: one from outside is not there, or one of the name is another project's.
    """
    for key, network in sorted(work.project.networks.items()):
        there = work.observed.networks.get(network.name)
        subject = f"network:{key}"
        if network.external:
            if there is None and network.name not in _ENGINES_OWN:
                raise Conflict(f"network {network.name} declared as external, but could not be found")
        elif there is None:
            details = Details(target=network.name)
            work.resources[subject] = work.plan.add("CreateNetwork", subject, "no such network", details=details)
        elif there.project != work.project.name:
            raise Conflict(_not_ours(work, "network", there))
        elif there.config_hash and there.config_hash != identity.network_hash(network):
            work.resources[subject] = _renew_network(work, subject, network.name)


def _renew_network(work: Work, subject: str, name: str) -> int:
    """Take every container out, and make the network anew; those of the project's services are replaced later."""
    cause = "the network's configuration changed"
    left: list[int] = []
    for one in work.observed.containers:
        if name in one.networks:
            stopped = work.stop(one, cause)
            details = Details(target=one.id, name=name)
            left.append(work.plan.add("Disconnect", f"service:{one.service}:{one.number}", cause, [stopped], details))
    removed = work.plan.add("RemoveNetwork", subject, cause, left, Details(target=name))
    return work.plan.add("CreateNetwork", subject, cause, [removed], Details(target=name))


def plan_volumes(work: Work) -> None:
    """Plan the project's volumes. One that changed is made anew only on demand: what is in it goes with it.

    Raises:
        Conflict: one from outside is not there.
    """
    for key, volume in sorted(work.project.volumes.items()):
        there = work.observed.volumes.get(volume.name)
        subject, details = f"volume:{key}", Details(target=volume.name)
        if volume.external:
            if there is None:
                raise Conflict(f'external volume "{volume.name}" not found')
        elif there is None:
            work.resources[subject] = work.plan.add("CreateVolume", subject, "no such volume", details=details)
        elif volume.name in diverged_volumes(work.project, work.observed) and (
            work.options.recreate_volumes or volume.name in work.options.agreed_volumes
        ):
            cause = "the volume's configuration changed"
            users = [one for one in work.observed.containers if volume.name in {name for _, name, _ in one.mounts}]
            gone = [work.remove(one, cause) for one in users]
            removed = work.plan.add("RemoveVolume", subject, cause, gone, details)
            work.resources[subject] = work.plan.add("CreateVolume", subject, cause, [removed], details)


def diverged_volumes(project: Project, observed: Observed) -> list[str]:
    """Return the names of volumes of the project that were made with another configuration."""
    return [
        volume.name
        for _, volume in sorted(project.volumes.items())
        if not volume.external
        and (there := observed.volumes.get(volume.name)) is not None
        and there.project == project.name
        and there.config_hash not in {"", identity.volume_hash(volume)}
    ]


def foreign_volumes(project: Project, observed: Observed) -> list[Resource]:
    """Return the volumes that the project would own, were they not made by others."""
    return [
        there
        for _, volume in sorted(project.volumes.items())
        if not volume.external
        and (there := observed.volumes.get(volume.name)) is not None
        and there.project != project.name
    ]


def _not_ours(work: Work, kind: str, there: Resource) -> str:
    whose = f'was not created for project "{work.project.name}"' if there.project else "was not created by compose"
    return f"a {kind} with name {there.name} exists but {whose}.\nSet `external: true` to use an existing {kind}"
