"""What an engine has of a project, read in three calls; images are asked for one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from wharf.client.documents import text, texts
from wharf.compose import identity
from wharf.compose.execute.engine import Engine
from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Container, Observed, Resource, container_of, resource_of
from wharf.compose.provided.variables import awaits
from wharf.errors import NotFound
from wharf.lib.moments import to_ns
from wharf.lib.timestamps import ZERO


def containers(engine: Engine, project: str, *, oneoff: bool | None = False) -> list[Container]:
    """Return the project's containers in any state, by service and number."""
    found = engine.containers.list(all_states=True, filters=identity.filters(project, oneoff=oneoff))
    return sorted(map(container_of, found), key=lambda one: (one.service, one.number, one.name))


def observe(engine: Engine, name: str, project: Project | None = None, *, oneoff: bool | None = None) -> Observed:
    """Return what there is of the project, and what of others it names."""
    networks = {one.name: one for one in _networks(engine, name)}
    volumes = {one.name: one for one in _volumes(engine, name)}
    if project is not None:
        for network in project.networks.values():
            if network.name not in networks:
                networks |= _named_network(engine, network.name)
        for volume in project.volumes.values():
            if volume.name not in volumes:
                volumes |= _named_volume(engine, volume.name)
    found = containers(engine, name, oneoff=oneoff)
    if project is not None:
        found = [_with_environment(engine, one) if _lacks_hash(project, one) else one for one in found]
    return Observed(tuple(found), networks, volumes)


def _lacks_hash(project: Project, one: Container) -> bool:
    """Whether docker compose made the container of a service that is given variables: it keeps no declared hash."""
    service = project.services.get(one.service)
    return service is not None and not one.declared_hash and awaits(project, service)


def _with_environment(engine: Engine, one: Container) -> Container:
    document = engine.containers.inspect(one.id)
    try:
        images = texts(engine.images.inspect(text(document, "Image")), "Config", "Env")
    except NotFound:
        images = []
    own = (entry for entry in texts(document, "Config", "Env") if entry not in images)
    return replace(one, environment=tuple(own))


def _networks(engine: Engine, project: str) -> Iterable[Resource]:
    labels = {"label": [f"{identity.PROJECT}={project}"]}
    return (resource_of(one, identity.NETWORK) for one in engine.networks.list(labels))


def _volumes(engine: Engine, project: str) -> Iterable[Resource]:
    labels = {"label": [f"{identity.PROJECT}={project}"]}
    return (resource_of(one, identity.VOLUME) for one in engine.volumes.list(labels))


def _named_network(engine: Engine, name: str) -> dict[str, Resource]:
    try:
        return {name: resource_of(engine.networks.inspect(name), identity.NETWORK)}
    except NotFound:
        return {}


def _named_volume(engine: Engine, name: str) -> dict[str, Resource]:
    try:
        return {name: resource_of(engine.volumes.inspect(name), identity.VOLUME)}
    except NotFound:
        return {}


def tagged_at(engine: Engine, name: str) -> float | None:
    """Return when an image was last pulled or tagged, in Unix time; None where the engine has none of that name."""
    try:
        when = text(engine.images.inspect(name), "Metadata", "LastTagTime")
    except NotFound:
        return None
    return to_ns(when) / 1e9 if when and when != ZERO else None


def image_id(engine: Engine, name: str) -> str:
    """Return an image's id, empty where the engine has none of that name."""
    try:
        return text(engine.images.inspect(name), "Id")
    except NotFound:
        return ""
