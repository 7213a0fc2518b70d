"""A project's builds as a file for `docker buildx bake`, as ``docker compose build --print`` writes it. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from wharf.compose import identity
from wharf.compose.load.paths import is_remote
from wharf.compose.model.build import Build
from wharf.compose.model.project import Project
from wharf.compose.model.resources import Ulimit
from wharf.compose.model.service import Service

_SERVICE = "service:"
Document = dict[str, object]


def bake_document(project: Project, services: Sequence[str], *, push: bool, check: bool) -> Document:
    """Return the file: a target for each service that can be built, and a group of those that are meant.

    Args:
        project: Has the services.
        services: Those that are to be built.
        push: Whether results go to registries.
        check: Whether Dockerfiles are looked at only.
    """
    names = {name: name.replace(".", "_") for name in project.services}
    targets = {
        names[name]: _target(project, service, service.build, names, push=push, check=check)
        for name, service in sorted(project.services.items())
        if service.build is not None
    }
    return {"group": {"default": {"targets": [names[name] for name in sorted(services)]}}, "target": targets}


def _target(
    project: Project, service: Service, build: Build, names: Mapping[str, str], *, push: bool, check: bool
) -> Document:
    found: Document = {
        "context": build.context,
        "contexts": {name: _context(where, names) for name, where in sorted(build.additional_contexts.items())},
        "dockerfile": _dockerfile(build),
        "dockerfile-inline": build.dockerfile_inline.replace("${", "$${"),
        "args": {name: value.replace("${", "$${") for name, value in sorted(build.args.items()) if value is not None},
        "labels": dict(sorted(identity.image_labels(project, service, build.labels).items())),
        "tags": [*build.tags, identity.image_name(project, service)],
        "cache-from": build.cache_from,
        "cache-to": build.cache_to,
        "target": build.target,
        "secret": _secrets(project, build),
        "ssh": [name if path is None else f"{name}={path}" for name, path in sorted(build.ssh.items())],
        "platforms": build.platforms,
        "pull": build.pull,
        "no-cache": build.no_cache,
        "network": build.network,
        "no-cache-filter": [build.no_cache_filter]
        if isinstance(build.no_cache_filter, str)
        else build.no_cache_filter,
        "shm-size": str(int(build.shm_size)) if build.shm_size else "",
        "ulimits": [_ulimit(name, limit) for name, limit in sorted(build.ulimits.items())],
        "call": "lint" if check else "",
        "entitlements": [*build.entitlements, *(["security.insecure"] if build.privileged else [])],
        "extra-hosts": {name: ",".join(addresses) for name, addresses in sorted(build.extra_hosts.items())},
        "output": [] if check else [_output(build, push=push and bool(service.image))],
        "attest": [*_attest("provenance", build.provenance), *_attest("sbom", build.sbom)],
    }
    return {name: value for name, value in found.items() if value and value != [""]}


def _context(where: str, names: Mapping[str, str]) -> str:
    return f"target:{names[where.removeprefix(_SERVICE)]}" if where.startswith(_SERVICE) else where


def _dockerfile(build: Build) -> str:
    if not build.dockerfile or is_remote(build.context):
        return build.dockerfile
    return os.path.join(build.context, build.dockerfile)


def _secrets(project: Project, build: Build) -> list[str]:
    found = []
    for one in build.secrets:
        secret, name = project.secrets[one.source], one.target or one.source
        if secret.environment:
            found.append(f"id={name},type=env,env={secret.environment}")
        elif secret.file:
            found.append(f"id={name},type=file,src={secret.file}")
    return found


def _ulimit(name: str, limit: Ulimit | int) -> str:
    return f"{name}={limit}" if isinstance(limit, int) else f"{name}={limit.soft}:{limit.hard}"


def _output(build: Build, *, push: bool) -> str:
    if len(build.platforms) > 1:
        return f"type=image,push={str(push).lower()}"
    return "type=registry" if push else "type=docker"


def _attest(kind: str, value: str) -> list[str]:
    if value in {"", "false"}:
        return []
    return [f"type={kind}" if value == "true" else f"type={kind},{value}"]
