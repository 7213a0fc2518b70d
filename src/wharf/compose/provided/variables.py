"""Services with the variables that others told: providers that they depend on, and who runs their models. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from wharf.compose import identity
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.compose.provided.protocol import Variables


def with_variables(project: Project, told: Mapping[str, Variables]) -> tuple[Project, list[str]]:
    """Return the project, each service with what the providers that it depends on told, and warnings.

    Args:
        project: As its files say.
        told: Provider's service → its variables. Those by ``setenv`` are prefixed with the service's name.
    """
    warnings: list[str] = []
    services = dict(project.services)
    for name, service in project.services.items():
        added: dict[str, str] = {}
        for other in service.depends_on:
            if other not in told:
                continue
            added |= {f"{other.upper()}_{key}": value for key, value in told[other].prefixed.items()}
            for key, value in told[other].raw.items():
                known = {**service.environment, **added}
                if key in known and known[key] != value:
                    warnings.append(f'provider "{other}" overrides environment variable "{key}" in service "{name}"')
                added[key] = value
        if added:
            services[name] = given(service, added)
    return msgspec.structs.replace(project, services=services), warnings


def with_models(project: Project, endpoint: str) -> Project:
    """Return the project, each service told of its models: where they answer, and what each is called."""
    services = dict(project.services)
    for name, service in project.services.items():
        added: dict[str, str] = {}
        for reference, use in service.models.items():
            prefix = reference.upper().replace("-", "_")
            added[(use and use.model_var) or f"{prefix}_MODEL"] = project.models[reference].model
            added[(use and use.endpoint_var) or f"{prefix}_URL"] = endpoint
        if added:
            services[name] = given(service, added)
    return msgspec.structs.replace(project, services=services)


def given(service: Service, added: Mapping[str, str]) -> Service:
    """Return a service with more variables; the hash of what its files say is kept beside."""
    declared = service.declared or identity.service_hash(service)
    return msgspec.structs.replace(service, environment={**service.environment, **added}, declared=declared)


def with_environment(service: Service, entries: Iterable[str]) -> Service:
    """Return a service that was told what its container has (``NAME=value``), and its file does not say."""
    added = dict(entry.partition("=")[::2] for entry in entries)
    own = {name: value for name, value in added.items() if name not in service.environment}
    return msgspec.structs.replace(service, environment={**service.environment, **own})


def awaits(project: Project, service: Service) -> bool:
    """Return whether the service will be told more than its files say, and was not yet."""
    provided = any(
        other in project.services and project.services[other].provider is not None for other in service.depends_on
    )
    return not service.declared and (provided or bool(service.models))
