"""A project made of containers that are there: the reverse of bringing one up. Pure.

It says what `docker compose alpha generate` says: image, labels, environment, health check, mounts, networks and
ports. What else a container has (its command, limits, capabilities) is not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from wharf.client.documents import as_documents, number, section, text, texts
from wharf.compose import identity
from wharf.compose.model.base import Duration
from wharf.compose.model.hooks import HealthCheck
from wharf.compose.model.mounts import FileReference, Mount, Port
from wharf.compose.model.project import FileObject, Network, Project, Volume
from wharf.compose.model.service import Attachment, Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.documents import Document

_SECRETS = "/run/secrets"


def generated(name: str, containers: Sequence[Document], internal: Collection[str], *, folder: str = "") -> Project:
    """Return the project of which ``containers`` (ContainerInspectResponses) could have been brought up.

    Args:
        name: Its name; empty for none.
        containers: Those of one service (by docker compose's labels) make one service of their number.
        internal: The networks that lead nowhere else.
        folder: Files in it are named relative to it.
    """
    project = Project(name=name)
    for container in containers:
        label = text(container, "Config", "Labels", identity.SERVICE)
        label = label or text(container, "Name").removeprefix("/")
        before = project.services.get(label)
        scale = (before.scale or 0) + 1 if before is not None else 1
        project.services[label] = msgspec.structs.replace(_service(container, label), scale=scale)
        _mount(project, project.services[label], container, folder)
        for network in section(container, "NetworkSettings", "Networks"):
            project.networks[network] = Network(internal=network in internal)
    return project


def _service(container: Document, label: str) -> Service:
    settings = section(container, "Config")
    pairs = (pair.partition("=") for pair in texts(settings, "Env"))
    return Service(
        label=label,
        image=text(settings, "Image"),
        labels=_own_labels(section(settings, "Labels")),
        environment={key: value if equals else None for key, equals, value in pairs},
        healthcheck=_health(section(settings, "Healthcheck")),
        networks={
            name: Attachment(aliases=texts(endpoint, "Aliases"))
            for name, endpoint in section(container, "NetworkSettings", "Networks").items()
            if isinstance(endpoint, dict)
        },
        ports=_ports(section(container, "HostConfig", "PortBindings")),
    )


def _own_labels(labels: Mapping[str, object]) -> dict[str, str]:
    foreign = (identity.PREFIX, "desktop.docker.io", identity.DECLARED_HASH)
    return {key: str(value) for key, value in labels.items() if not key.startswith(foreign)}


def _health(document: Document) -> HealthCheck | None:
    def duration(key: str) -> Duration | None:
        return Duration(number(document, key)) if number(document, key) else None

    if not document:
        return None
    return HealthCheck(
        test=texts(document, "Test"), timeout=duration("Timeout"), interval=duration("Interval"),
        start_period=duration("StartPeriod"), start_interval=duration("StartInterval"),
        retries=number(document, "Retries") or None,
    )  # fmt: skip


def _ports(bindings: Document) -> list[Port]:
    return [
        Port(
            target=int(key.partition("/")[0]), protocol=key.partition("/")[2] or "tcp",
            published=text(binding, "HostPort"), host_ip=text(binding, "HostIp"),
        )
        for key in sorted(bindings) for binding in as_documents(bindings[key])
    ]  # fmt: skip


def _mount(project: Project, service: Service, container: Document, folder: str) -> None:
    """Put the container's mounts into the service, and the volumes and secrets that they are of into the project."""
    for mount in as_documents(container.get("Mounts")):
        kind, target = text(mount, "Type"), text(mount, "Destination")
        volume, source = text(mount, "Name"), _relative(text(mount, "Source"), folder)
        read_only = mount.get("RW") is False
        if kind == "volume":
            driver = text(mount, "Driver")
            other = driver not in {"", "local"}
            project.volumes[volume] = Volume(driver=driver, name=volume) if other else Volume()
            service.volumes.append(Mount(type=kind, source=volume, target=target, read_only=read_only))
        elif kind == "bind" and PurePosixPath(target).is_relative_to(_SECRETS):
            secret = PurePosixPath(target).name
            project.secrets[secret] = FileObject(name=secret, file=source)
            service.secrets.append(FileReference(source=secret, target=target))
        elif kind == "bind":
            service.volumes.append(Mount(type=kind, source=source, target=target, read_only=read_only))


def _relative(source: str, folder: str) -> str:
    if not folder or not PurePosixPath(source).is_relative_to(folder):
        return source
    return f"./{PurePosixPath(source).relative_to(folder)}"
