"""Names, labels and configuration hashes of what a project owns in an engine: those of docker compose."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

import msgspec

from wharf.compose.model.project import Network, Project, Volume
from wharf.compose.model.service import Service
from wharf.lib.version import __version__

PREFIX = "com.docker.compose."
PROJECT, SERVICE, NUMBER = f"{PREFIX}project", f"{PREFIX}service", f"{PREFIX}container-number"
ONEOFF, CONFIG_HASH, IMAGE = f"{PREFIX}oneoff", f"{PREFIX}config-hash", f"{PREFIX}image"
CONFIG_FILES, WORKING_DIR = f"{PREFIX}project.config_files", f"{PREFIX}project.working_dir"
DEPENDENCIES, VERSION, REPLACE = f"{PREFIX}depends_on", f"{PREFIX}version", f"{PREFIX}replace"
DECLARED_HASH = "wharf.compose.declared-hash"
NETWORK, VOLUME, ENV_FILES = f"{PREFIX}network", f"{PREFIX}volume", f"{PREFIX}project.environment_file"


def container_name(project: Project, service: Service, number: int) -> str:
    """Return a container's name: the chosen one, or ``project-service-1``."""
    return service.container_name or project.separator.join((project.name, service.name, str(number)))


def image_name(project: Project, service: Service) -> str:
    """Return the image a service runs: the named one, or the one that its build makes."""
    return service.image or f"{project.name}{project.separator}{service.name}"


def service_hash(service: Service, container_of: Callable[[str], str] | None = None) -> str:
    """Return the hash of what a container has to be made anew for (docker compose's, hex SHA-256).

    Args:
        service: What the container is made of.
        container_of: Returns the id of a service's container: of the one whose namespaces or volumes this one uses.
            Without it the hash is that of the file.
    """
    if container_of is not None:
        service = _resolved(service, container_of)
    deploy = service.deploy and msgspec.structs.replace(service.deploy, replicas=None)
    stripped = msgspec.structs.replace(
        service, build=None, pull_policy="", scale=None, deploy=deploy, depends_on={}, profiles=[]
    )
    return _digest(stripped.printed(as_json=True))


def _resolved(service: Service, container_of: Callable[[str], str]) -> Service:
    """Return the service with containers in place of services, as docker compose hashes it."""

    def mode(text: str) -> str:
        kind, _, name = text.partition(":")
        return f"container:{container_of(name)}" if kind == "service" else text

    def volumes(text: str) -> str:
        kind, _, rest = text.partition(":")
        return rest if kind == "container" else container_of(kind)

    return msgspec.structs.replace(
        service,
        network_mode=mode(service.network_mode),
        ipc=mode(service.ipc),
        pid=service.pid and mode(service.pid),
        volumes_from=[volumes(text) for text in service.volumes_from],
    )


def network_hash(network: Network) -> str:
    """Return the hash of a network's configuration."""
    return _digest(network.printed(as_json=True))


def volume_hash(volume: Volume) -> str:
    """Return the hash of a volume's configuration."""
    return _digest(msgspec.structs.replace(volume, driver=volume.driver or "local").printed(as_json=True))


def _digest(document: dict[str, object]) -> str:
    # As Go's encoder writes it: no spaces, and three characters escaped that HTML would read.
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    for char, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(char, escaped)
    return hashlib.sha256(text.encode()).hexdigest()


def project_labels(project: Project) -> dict[str, str]:
    """Return the labels that everything of a project has."""
    return {PROJECT: project.name, VERSION: __version__}


def image_labels(project: Project, service: Service, own: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of the image that a service's build makes; ``own`` are the build's."""
    return {**own, PROJECT: project.name, SERVICE: service.name, VERSION: __version__}


def container_labels(
    project: Project,
    service: Service,
    number: int,
    container_of: Callable[[str], str] | None = None,
    *,
    oneoff: bool = False,
) -> dict[str, str]:
    """Return the labels of a service's container, but for those of its image and of a replacement."""
    labels = dict(service.labels)
    depends = ",".join(
        f"{name}:{how.condition}:{str(how.restart).lower()}"
        for name, how in sorted(service.depends_on.items())
        if name in project.services  # what is not required may be left out by its profile
    )
    labels.update(
        project_labels(project) | {
            SERVICE: service.name,
            ONEOFF: "True" if oneoff else "False",
            CONFIG_HASH: service_hash(service, container_of),
            NUMBER: str(number),
            WORKING_DIR: project.working_dir,
            CONFIG_FILES: ",".join(project.files),
            DEPENDENCIES: depends,
        }
    )  # fmt: skip
    if service.declared:
        labels[DECLARED_HASH] = service.declared
    return labels


def filters(project: str, *, oneoff: bool | None = False) -> dict[str, list[str]]:
    """Return the Engine API's filter for a project's containers; one-off ones too with None, only with True."""
    labels = [f"{PROJECT}={project}"]
    if oneoff is not None:
        labels.append(f"{ONEOFF}={oneoff}")
    return {"label": labels}
