"""``use_api_socket``: the engine's socket in a container, and what its user is known by at registries. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wharf.compose.model.mounts import FileReference, Mount
from wharf.compose.model.project import FileObject, Project
from wharf.compose.model.service import Service
from wharf.lib.light_json import dumps_pretty

_SOCKET, _FOLDER, _KEY = "/var/run/docker.sock", "/run/secrets/docker", "#apisocket"


def wants_socket(project: Project) -> bool:
    """Return whether a service uses the engine's API."""
    return any(service.use_api_socket for service in project.services.values())


def with_api_socket(project: Project, engine: str, credentials: Mapping[str, object]) -> Project:
    """Return the project, its services that use the engine's API given the socket and credentials.

    Args:
        project: As its files say.
        engine: The engine's address; the socket of one that is reached otherwise is at its usual place.
        credentials: By registry, as config.json has them (``auths``).
    """
    socket = engine.removeprefix("unix://") if engine.startswith("unix://") else _SOCKET
    content = dumps_pretty({"auths": dict(credentials)}, indent="\t")
    services = {
        name: _given(service, socket) if service.use_api_socket else service
        for name, service in project.services.items()
    }
    configs = {**project.configs, _KEY: FileObject(name=_KEY, content=content)}
    return msgspec.structs.replace(project, services=services, configs=configs)


def _given(service: Service, socket: str) -> Service:
    return msgspec.structs.replace(
        service,
        volumes=[*service.volumes, Mount(type="bind", source=socket, target=_SOCKET)],
        # Who says where it is to be looked for knows better.
        environment={"DOCKER_CONFIG": _FOLDER, **service.environment},
        configs=[*service.configs, FileReference(source=_KEY, target=f"{_FOLDER}/config.json")],
    )
