"""Which images are pulled or built before containers are made, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from wharf.compose import identity
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.errors import InvalidArgument

POLICIES = frozenset({"", "always", "never", "missing", "if_not_present", "build"})


@dataclass(frozen=True, slots=True)
class Need:
    """An image that is to be had."""

    action: Literal["pull", "build"]
    name: str
    service: str
    cause: str

    def __str__(self) -> str:
        return f"image:{self.name}, {self.action.capitalize()}Image, {self.cause}"


def image_names(project: Project) -> list[str]:
    """Return the names of all images that the project's containers are made of."""
    found = dict.fromkeys(
        name
        for service in project.services.values()
        if service.provider is None
        for name in (identity.image_name(project, service), *_others(service))
    )
    return list(found)


def _others(service: Service) -> Iterator[str]:
    for hook in service.pre_start:
        if hook.image:
            yield hook.image
    for mount in service.volumes:
        if mount.type == "image":
            yield mount.source


def image_needs(
    project: Project,
    present: Mapping[str, str],
    *,
    build: bool = False,
    no_build: bool = False,
    pull: str = "",
    only: Collection[str] = (),
) -> list[Need]:
    """Return what is to be pulled and built, each image once.

    Args:
        project: Says of what.
        present: The images that are there: name → id.
        build: Build all that can be built.
        no_build: Build nothing.
        pull: A policy that overrides the services': always, missing or never.
        only: The services that ``build`` and ``pull`` are about; none: all.

    Raises:
        InvalidArgument: a policy is not known, or an image is missing that may be neither pulled nor built.
    """
    found: dict[str, Need] = {}
    # What one service builds is not pulled for another.
    for name, service in sorted(project.services.items(), key=lambda one: (one[1].build is None, one[0])):
        if service.provider is not None:
            continue
        meant = not only or name in only
        need = _need(project, service, present, build=build and meant, no_build=no_build, pull=pull if meant else "")
        if need is not None:
            found.setdefault(need.name, need)
        for other in _others(service):
            if other not in present and other not in found:
                found[other] = Need("pull", other, name, "missing")
    return list(found.values())


def _need(
    project: Project, service: Service, present: Mapping[str, str], *, build: bool, no_build: bool, pull: str
) -> Need | None:
    policy = pull or service.pull_policy
    if policy not in POLICIES:
        raise InvalidArgument(
            f"services.{service.name}.pull_policy: {policy!r} is not supported here: "
            "the engine does not know when it last asked for an image"
        )
    name = identity.image_name(project, service)
    if service.build is not None and not no_build:
        if build or policy == "build":
            return Need("build", name, service.name, "--build" if build else "its policy says so")
        if name not in present:
            return Need("build", name, service.name, "missing")
    if policy == "always" and (service.build is None or pull):
        return Need("pull", name, service.name, "its policy says so" if not pull else f"--pull {pull}")
    if name in present:
        return None
    if policy == "never" or (service.build is not None and not service.image):
        raise InvalidArgument(f"no such image: {name}: it is neither to be pulled nor to be built")
    return Need("pull", name, service.name, "missing")
