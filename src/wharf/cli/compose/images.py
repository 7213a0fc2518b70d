"""Having a project's images: pulled and built as their services say."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Mapping

from wharf.cli.command import Session
from wharf.cli.compose.building import build_service
from wharf.cli.compose.progress import progress_of
from wharf.cli.compose.project import flags_of
from wharf.cli.progress import show_progress
from wharf.cli.pull import with_tag
from wharf.client.credentials import auth_header
from wharf.compose.execute.engine import Engine
from wharf.compose.execute.observe import image_id, tagged_at
from wharf.compose.model.project import Project
from wharf.compose.plan.images import Need, aging, image_names
from wharf.errors import WharfError

_AT_ONCE = 8


def present_images(engine: Engine, project: Project) -> dict[str, str]:
    """Return name → id of those of the project's images that the engine has."""
    found = {name: image_id(engine, name) for name in image_names(project)}
    return {name: identifier for name, identifier in found.items() if identifier}


def ages_s(engine: Engine, project: Project) -> dict[str, float]:
    """Return how long ago images were last pulled or tagged, of those for which that counts."""
    found = {name: tagged_at(engine, name) for name in aging(project)}
    return {name: time.time() - at for name, at in found.items() if at is not None}


def have_images(
    session: Session, engine: Engine, project: Project, needs: Collection[Need], *, quiet: Collection[str] = ()
) -> None:
    """Pull and build; images that are built from others' come after them. ``quiet`` says what shows no progress.

    Raises:
        WharfError: one could not be had.
    """
    tell = progress_of(session).tell
    pulls = {need.name: need for need in needs if need.action == "pull"}
    wanted = {name: platform_of(project, need.service) for name, need in pulls.items()}
    failures = pull_all(session, engine, wanted, quiet="pull" in quiet)
    for name, error in failures.items():
        if not pulls[name].optional:
            raise error
        tell(f"Image {name}", f"Warning: {error}")
    had = pulls.keys() - failures.keys()
    for need in builds_in_order(project, [one for one in needs if not (one.optional and one.name in had)]):
        tell(f"Image {need.name}", "Building")
        build_service(session, project, project.services[need.service], quiet="build" in quiet)
        tell(f"Image {need.name}", "Built")


def builds_in_order(project: Project, needs: Collection[Need]) -> list[Need]:
    """Return the builds, each after those whose results it is built from (``additional_contexts``)."""
    waiting = {need.service: need for need in needs if need.action == "build"}
    done: dict[str, Need] = {}

    def visit(name: str) -> None:
        need = waiting.pop(name, None)
        build = project.services[name].build if need is not None else None
        for context in build.additional_contexts.values() if build is not None else ():
            kind, _, other = context.partition(":")
            if kind == "service":
                visit(other)
        if need is not None:
            done[name] = need

    for name in list(waiting):
        visit(name)
    return list(done.values())


def platform_of(project: Project, service: str) -> str:
    """Return the platform that a service's images are pulled for; empty for the engine's."""
    return project.services[service].platform or project.environment.get("DOCKER_DEFAULT_PLATFORM", "")


def pull_all(session: Session, engine: Engine, images: Mapping[str, str], *, quiet: bool) -> dict[str, WharfError]:
    """Bring images from their registries, several at once; return why those could not be had that failed.

    Args:
        session: Of the command line.
        engine: Where to.
        images: Name → platform, empty for the engine's.
        quiet: Show no progress. Of several images at once only beginnings and ends are shown.
    """
    tell = progress_of(session).tell
    failures: dict[str, WharfError] = {}

    def pull(name: str) -> None:
        tell(f"Image {name}", "Pulling")
        try:
            stream = engine.images.pull(with_tag(name), platform=images[name], auth=auth_header(name, os.environ))
            show_progress(stream, sys.stderr if len(images) == 1 and not quiet else None)
        except WharfError as error:
            failures[name] = error
        else:
            tell(f"Image {name}", "Pulled")

    if len(images) < 2:
        for name in images:
            pull(name)
        return failures
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # not where nothing is pulled

    limit = flags_of(session).number("parallel")
    with ThreadPoolExecutor(limit if limit > 0 else _AT_ONCE, thread_name_prefix="pull") as pool:
        list(pool.map(pull, images))
    return failures


def observed_ids(present: Mapping[str, str], engine: Engine, needs: Collection[Need]) -> dict[str, str]:
    """Return the ids of images after ``needs`` have been met."""
    return {**present, **{need.name: image_id(engine, need.name) for need in needs}}
