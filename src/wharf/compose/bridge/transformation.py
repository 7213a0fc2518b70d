"""What a transformation is, and what it is given of a project, as docker compose has it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from wharf.compose import identity
from wharf.compose.load.located import ComposeError
from wharf.compose.model.project import FileObject, Project
from wharf.compose.model.service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.compose.load.files import Files

LABEL = "com.docker.compose.bridge=transformation"
DEFAULT = "docker/compose-bridge-kubernetes"
BASE = "docker/compose-bridge-transformer"
"""What new transformations are made of: reads the project, and fills templates with it."""


def model(project: Project, exposed: Mapping[str, Iterable[str]], files: Files) -> dict[str, object]:
    """Return the project as transformations read it: with images' names and ports, and what secrets and configs hold.

    Args:
        project: What is converted.
        exposed: The ports that images expose, ``port[/protocol]``, by service.
        files: Reads those of secrets and configs.

    Raises:
        ComposeError: the file of a secret or a config is not there.
    """
    services = {
        name: msgspec.structs.replace(
            one, image=identity.image_name(project, one), expose=_expose(one, exposed.get(name, ()))
        )
        for name, one in project.services.items()
    }
    return msgspec.structs.replace(
        project,
        services=services,
        secrets={name: _filled(one, project, files) for name, one in project.secrets.items()},
        configs={name: _filled(one, project, files) for name, one in project.configs.items()},
    ).printed()


def _expose(service: Service, exposed: Iterable[str]) -> list[str]:
    ports = [
        *service.expose,
        *(port.partition("/")[0] for port in exposed),
        *(str(port.target) for port in service.ports),
    ]
    return list(dict.fromkeys(ports))


def _filled(one: FileObject, project: Project, files: Files) -> FileObject:
    if one.external:
        return one
    if one.environment:
        return msgspec.structs.replace(one, content=project.environment.get(one.environment, ""))
    if not one.file:
        return one
    content = files.read(one.file)
    if content is None:
        raise ComposeError(f"{one.name}: no such file: {one.file}")
    return msgspec.structs.replace(one, content=content)


def dockerfile() -> str:
    """Return the Dockerfile of a new transformation, whose templates lie beside it."""
    return f"FROM {BASE}\nLABEL {LABEL}\nCOPY templates /templates\n"
