"""Which services are on: by profile, by name, and by who depends on them (compose-spec 15-profiles.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from wharf.compose.load.located import ComposeError
from wharf.compose.model.project import Project


def with_profiles(project: Project, active: Collection[str], named: Collection[str] = ()) -> Project:
    """Return the project with services that no active profile asks for set aside.

    Args:
        project: All services on.
        active: Profiles; ``*`` is all of them.
        named: Services that are on whatever their profiles: they were asked for by name.
    """
    everything = {**project.disabled, **project.services}
    on = {
        name
        for name, service in everything.items()
        if not service.profiles or name in named or "*" in active or set(service.profiles) & set(active)
    }
    return msgspec.structs.replace(
        project,
        services={name: service for name, service in everything.items() if name in on},
        disabled={name: service for name, service in everything.items() if name not in on},
    )


def selected(project: Project, names: Sequence[str], *, dependencies: bool = True) -> Project:
    """Return the project with only the named services, and what they depend on, on.

    Raises:
        ComposeError: there is no such service.
    """
    for name in names:
        if name not in project.services:
            known = "is disabled by its profiles" if name in project.disabled else ""
            raise ComposeError(f"service {name} {known}" if known else f"no such service: {name}")
    if not names:
        return project
    wanted = closure(project, names) if dependencies else set(names)
    kept = {name: service for name, service in project.services.items() if name in wanted}
    if not dependencies:
        kept = {
            name: msgspec.structs.replace(
                service, depends_on={other: how for other, how in service.depends_on.items() if other in wanted}
            )
            for name, service in kept.items()
        }
    off = {name: service for name, service in project.services.items() if name not in wanted}
    return msgspec.structs.replace(project, services=kept, disabled={**project.disabled, **off})


def closure(project: Project, names: Iterable[str]) -> set[str]:
    """Return the named services and all that they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name not in project.services:
            continue
        found.add(name)
        waiting += project.services[name].depends_on
    return found


def pruned(project: Project) -> Project:
    """Return the project without networks, volumes, secrets, configs and models that no service uses."""
    services = project.services.values()
    builds = [service.build for service in services if service.build is not None]
    used = {
        "networks": {name for service in services for name in service.networks},
        "volumes": {mount.source for service in services for mount in service.volumes if mount.type == "volume"},
        "secrets": {one.source for service in services for one in service.secrets}
        | {one.source for build in builds for one in build.secrets},
        "configs": {one.source for service in services for one in service.configs},
        "models": {name for service in services for name in service.models},
    }
    kept = {
        kind: {name: one for name, one in getattr(project, kind).items() if name in names}
        for kind, names in used.items()
    }
    return msgspec.structs.replace(project, **kept)
