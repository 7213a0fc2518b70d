"""Variables and labels that services take from files: ``env_file`` and ``label_file``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from wharf.compose.load.dotenv import parse_dotenv, parse_raw
from wharf.compose.load.files import Files
from wharf.compose.load.located import ComposeError, Map, complaint
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service


def resolve_environment(project: Project, tree: Map, files: Files) -> Project:
    """Return the project with each service's ``env_file`` read into its environment.

    Raises:
        ComposeError: a required file is missing or malformed.
    """
    return _each(project, lambda service: msgspec.structs.replace(
        service, environment=_environment(service, project.environment, tree, files), env_file=[]
    ))  # fmt: skip


def resolve_labels(project: Project, tree: Map, files: Files) -> Project:
    """Return the project with each service's ``label_file`` read into its labels.

    Its name stays: it is a part of a service's hash, as with docker compose; that of variables' files is not.

    Raises:
        ComposeError: a file is missing or malformed.
    """
    return _each(project, lambda service: msgspec.structs.replace(service, labels=_labels(service, tree, files)))


def _each(project: Project, change: Callable[[Service], Service]) -> Project:
    services = {name: change(service) for name, service in project.services.items()}
    return msgspec.structs.replace(project, services=services)


def _environment(service: Service, variables: Mapping[str, str], tree: Map, files: Files) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for index, one in enumerate(service.env_file):
        text = files.read(one.path)
        if text is None:
            if one.required:
                place = ("services", service.name, "env_file", index)
                raise complaint(tree, place, f"env file {one.path} not found")
            continue
        own = {key: value for key, value in {**found, **service.environment}.items() if value is not None}
        values = parse_raw(text) if one.format == "raw" else parse_dotenv(text, one.path, {**own, **variables})
        if one.format not in {"", "raw"}:
            raise ComposeError(f"unsupported env_file format {one.format!r}")
        found.update({key: value if value is not None else variables.get(key) for key, value in values.items()})
    return {**found, **service.environment}


def _labels(service: Service, tree: Map, files: Files) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, path in enumerate(service.label_file):
        text = files.read(path)
        if text is None:
            raise complaint(tree, ("services", service.name, "label_file", index), f"label file {path} not found")
        found.update({key: value or "" for key, value in parse_dotenv(text, path, found).items()})
    return {**found, **service.labels}


def is_on(value: str) -> bool:
    """Return whether a variable of Compose's own (``COMPOSE_...``) switches something on."""
    return value.strip().lower() in {"1", "t", "true", "y", "yes", "on"}
