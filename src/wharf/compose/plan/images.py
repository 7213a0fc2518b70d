"""Which images are pulled or built before containers are made, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from wharf.compose import identity
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.errors import InvalidArgument

_KNOWN = frozenset({"", "always", "never", "missing", "if_not_present", "build"})
_DAY_S = 86400
_UNITS_S = {"w": 7 * _DAY_S, "d": _DAY_S, "h": 3600, "m": 60, "s": 1}
_EVERY = re.compile(r"every_((?:[0-9]+[wdhms])+)\Z")


@dataclass(frozen=True, slots=True)
class Need:
    """An image that is to be had."""

    action: Literal["pull", "build"]
    name: str
    service: str
    cause: str
    optional: bool = False  # a pull that may fail, for the image can be built; a build where it did

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
    ages_s: Mapping[str, float] | None = None,
) -> list[Need]:
    """Return what is to be pulled and built; a build comes after the pull that it stands in for.

    An image is pulled once, and built in each way that services build it: the last one's counts, as with docker
    compose's old builder (its new one leaves that to chance).

    Args:
        project: Says of what.
        present: The images that are there: name → id.
        build: Build all that can be built.
        no_build: Build nothing.
        pull: A policy that overrides the services': always, missing or never.
        only: The services that ``build`` and ``pull`` are about; none: all.
        ages_s: Name → seconds since an image was last pulled or tagged, of those of :func:`aging`.

    Raises:
        InvalidArgument: a policy is not known, or an image is missing that may be neither pulled nor built.
    """
    found: list[Need] = []
    pulled: set[str] = set()
    # A service may run an image that another one builds.
    built = {one.image for one in project.services.values() if one.build is not None and one.image and not no_build}
    for name, service in sorted(project.services.items()):
        if service.provider is not None:
            continue
        meant = not only or name in only
        how = _How(
            build=build and meant, no_build=no_build, pull=pull if meant else "", buildable=service.image in built
        )
        for need in (*_needs(project, service, present, how, ages_s or {}), *_missing(service, present)):
            if need.action == "build":
                found = [one for one in found if not _supersedes(project, need, one)]
            elif need.name in pulled:
                continue
            else:
                pulled.add(need.name)
            found.append(need)
    return found


def _supersedes(project: Project, new: Need, old: Need) -> bool:
    """Whether a build makes another one's image, in the same way."""
    if old.action != "build" or old.name != new.name:
        return False
    return project.services[old.service].build == project.services[new.service].build


def aging(project: Project) -> list[str]:
    """Return the images whose age decides whether they are pulled."""
    return [
        one.image
        for one in project.services.values()
        if one.image and _refresh_after_s(one, one.pull_policy) is not None
    ]


@dataclass(frozen=True, slots=True)
class _How:
    build: bool
    no_build: bool
    pull: str
    buildable: bool  # by this service or another


def _missing(service: Service, present: Mapping[str, str]) -> Iterator[Need]:
    for other in _others(service):
        if other not in present:
            yield Need("pull", other, service.name, "missing")


def _needs(
    project: Project, service: Service, present: Mapping[str, str], how: _How, ages_s: Mapping[str, float]
) -> Iterator[Need]:
    name = identity.image_name(project, service)
    policy = how.pull or service.pull_policy
    can_build = service.build is not None and not how.no_build
    if can_build and (how.build or policy == "build"):
        yield Need("build", name, service.name, "--build" if how.build else "its policy says so")
        return
    cause = _why_pull(service, policy, present, how, ages_s)
    if cause:
        yield Need("pull", name, service.name, cause, optional=how.buildable)
    if can_build and name not in present:
        yield Need(
            "build", name, service.name, "if it cannot be pulled" if cause else "missing", optional=bool(cause)
        )
    elif not cause and name not in present and not how.buildable:
        raise InvalidArgument(f"no such image: {name}: it is neither to be pulled nor to be built")


def _why_pull(
    service: Service, policy: str, present: Mapping[str, str], how: _How, ages_s: Mapping[str, float]
) -> str:
    """Return why the service's image is to be pulled, empty where it is not."""
    after_s = _refresh_after_s(service, policy)
    if not service.image or policy in {"never", "build"}:
        return ""
    if policy == "always":
        return f"--pull {how.pull}" if how.pull else "its policy says so"
    if service.image not in present:
        return "missing"
    if after_s is not None and ages_s.get(service.image, after_s) >= after_s:
        return f"its policy says so: {policy}"
    return ""


def _refresh_after_s(service: Service, policy: str) -> float | None:
    """Return the age from which an image is pulled again; None where a policy does not ask for its age.

    Raises:
        InvalidArgument: the policy is not known.
    """
    if policy in _KNOWN:
        return None
    if policy in {"daily", "weekly"}:
        return _DAY_S if policy == "daily" else 7 * _DAY_S
    span = policy.removeprefix("every_") if _EVERY.match(policy) else service.pull_refresh_after
    if not (policy == "refresh" or _EVERY.match(policy)) or not _EVERY.match(f"every_{span}"):
        raise InvalidArgument(f"services.{service.name}.pull_policy: invalid policy {policy!r}")
    return sum(int(count) * _UNITS_S[unit] for count, unit in re.findall(r"([0-9]+)([wdhms])", span))
