"""What a schema cannot say: references that lead nowhere, attributes that contradict each other, cycles."""

from __future__ import annotations

from collections.abc import Iterator

from wharf.compose.load.located import Map, Path, complaint
from wharf.compose.model.project import FileObject, Project
from wharf.compose.model.service import Service

_INVALID = ": invalid compose project"


def check(project: Project, tree: Map) -> None:
    """Check a typed project; ``tree`` knows the places.

    Raises:
        ComposeError: the first thing that is wrong.
    """
    for path, text in _faults(project):
        raise complaint(tree, path, text)
    _check_cycles(project, tree)


def _faults(project: Project) -> Iterator[tuple[Path, str]]:
    for name, service in project.services.items():
        for attribute, text in _service_faults(project, service):
            yield ("services", name, *attribute), text
    for kind, objects in (("secrets", project.secrets), ("configs", project.configs)):
        for name, one in objects.items():
            text = _object_fault(kind, name, one)
            if text:
                yield (kind, name), text
    for name, network in project.networks.items():
        if network.external and (network.driver or network.ipam.config or network.internal):
            yield ("networks", name), f"networks.{name}: conflicting parameters with external are specified"
    for name, volume in project.volumes.items():
        if volume.external and (volume.driver or volume.driver_opts or volume.labels):
            yield ("volumes", name), f"volumes.{name}: conflicting parameters with external are specified"
    yield from _repeated_names(project)


def _repeated_names(project: Project) -> Iterator[tuple[Path, str]]:
    seen: dict[str, str] = {}
    for name, service in project.services.items():
        chosen = service.container_name
        if chosen and chosen in seen:
            text = f'services.{name}: container name "{chosen}" is already in use by service {seen[chosen]}{_INVALID}'
            yield ("services", name, "container_name"), text
        seen[chosen] = name


def _service_faults(project: Project, service: Service) -> Iterator[tuple[Path, str]]:
    name = service.name
    if service.build is None and not service.image and service.provider is None:
        yield (), f'service "{name}" has neither an image nor a build context specified{_INVALID}'
    yield from _build_faults(project, service)
    if service.network_mode and service.networks:
        said = f"service {name} declares mutually exclusive `network_mode` and `networks`{_INVALID}"
        yield ("network_mode",), said
    yield from _references(project, service)
    yield from _limits(service)
    health = service.healthcheck
    if health is not None and health.test and health.test[0] not in {"CMD", "CMD-SHELL", "NONE"}:
        yield ("healthcheck",), 'healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"'
    for index, trigger in enumerate(service.develop.watch if service.develop else ()):
        if trigger.action not in {"rebuild", "restart"} and not trigger.target:
            yield (
                ("develop", "watch", index),
                f"services.{name}.develop.watch: target is required for non-rebuild actions",
            )
        if trigger.action == "sync+exec" and not trigger.exec.command:
            yield ("develop", "watch", index), f"services.{name}.develop.watch: can not use sync+exec without command"


def _build_faults(project: Project, service: Service) -> Iterator[tuple[Path, str]]:
    build, name = service.build, service.name
    if build is None:
        return
    if build.dockerfile and build.dockerfile_inline:
        yield ("build",), f'service "{name}" declares mutualy exclusive dockerfile and dockerfile_inline{_INVALID}'
    if build.platforms and service.platform and service.platform not in build.platforms:
        yield (
            ("build", "platforms"),
            f'service.build.platforms MUST include service.platform "{service.platform}"{_INVALID}',
        )
    for secret in build.secrets:
        if secret.source not in project.secrets:
            yield ("build", "secrets"), f'service "{name}" refers to undefined build secret {secret.source}{_INVALID}'
    for context, target in build.additional_contexts.items():
        kind, _, other = (target or "").partition(":")
        if kind == "service" and other not in project.services | project.disabled:
            said = f'service "{name}" declares unknown service "{other}" as additional contexts {context}'
            yield ("build", "additional_contexts"), said


def _references(project: Project, service: Service) -> Iterator[tuple[Path, str]]:
    name = service.name
    for other, dependency in service.depends_on.items():
        known = other in project.services or (other in project.disabled and not dependency.required)
        if not known and (dependency.required or other not in project.disabled):
            yield ("depends_on", other), f'service "{name}" depends on undefined service "{other}"{_INVALID}'
    for attribute, used, known_names in (
        ("networks", list(service.networks), project.networks),
        ("volumes", [m.source for m in service.volumes if m.type == "volume" and m.source], project.volumes),
        ("configs", [c.source for c in service.configs], project.configs),
        ("models", list(service.models), project.models),
        ("secrets", [s.source for s in service.secrets], project.secrets),
    ):
        for index, one in enumerate(used):
            if one not in known_names:
                place = (attribute, one) if attribute in {"networks", "models"} else (attribute, index)
                yield place, f'service "{name}" refers to undefined {attribute[:-1]} {one}{_INVALID}'


def _limits(service: Service) -> Iterator[tuple[Path, str]]:
    deploy, name = service.deploy, service.name
    if service.replicas < 0:
        yield ("scale",), f"services.{name}.scale: must be greater than or equal to 0"
    if service.replicas > 1 and service.container_name:
        attribute = "scale" if service.scale is not None else "deploy.replicas"
        said = f"services.{name}: can't set container_name and {attribute} as container name must be unique{_INVALID}"
        yield ("container_name",), said
    if deploy is None:
        return
    limits, reserved = deploy.resources.limits, deploy.resources.reservations
    for one, other, value, wanted in (
        ("scale", "deploy.replicas", service.scale, deploy.replicas),
        ("cpus", "deploy.resources.limits.cpus", service.cpus or None, limits and limits.cpus),
        ("mem_limit", "deploy.resources.limits.memory", service.mem_limit or None, limits and limits.memory),
        ("pids_limit", "deploy.resources.limits.pids", service.pids_limit or None, limits and limits.pids),
        ("mem_reservation", "deploy.resources.reservations.memory", service.mem_reservation or None,
         reserved and reserved.memory),
    ):  # fmt: skip
        if value is not None and wanted is not None and value != wanted:
            yield (one,), f"services.{name}: can't set distinct values on '{one}' and '{other}'{_INVALID}"


def _object_fault(kind: str, name: str, one: FileObject) -> str:
    sources = ["file", "environment", *(("content",) if kind == "configs" else ())]
    given = [source for source in sources if getattr(one, source)]
    one_of = "|".join(sources)
    if one.external:
        return f"{kind}.{name}: {one_of} attributes are mutually exclusive with external" if given else ""
    if len(given) > 1:
        return f"{kind}.{name}: {one_of} attributes are mutually exclusive"
    if not given and not one.driver:
        return f"{kind}.{name}: one of {one_of} must be set"
    return ""


def _check_cycles(project: Project, tree: Map) -> None:
    done: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> None:
        if name in chain:
            cycle = " -> ".join((*chain[chain.index(name) :], name))
            raise complaint(tree, ("services", name, "depends_on"), f"dependency cycle detected: {cycle}")
        if name in done or name not in project.services:
            return
        for other in project.services[name].depends_on:
            visit(other, (*chain, name))
        done.add(name)

    for name in project.services:
        visit(name, ())
