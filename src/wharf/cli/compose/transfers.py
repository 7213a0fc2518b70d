"""`wharf compose pull`, `push` and `build`: the images of a project."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection

import msgspec

from wharf.cli.command import Command
from wharf.cli.compose.building import build_service, check_service
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.engine import engine_of
from wharf.cli.compose.images import builds_in_order, platform_of, present_images, pull_all
from wharf.cli.compose.progress import progress_of
from wharf.cli.compose.project import load_project
from wharf.cli.failures import describe
from wharf.cli.flags import Flag, one_of
from wharf.cli.images import split_reference
from wharf.cli.progress import show_progress
from wharf.cli.pull import with_tag
from wharf.client.credentials import auth_header
from wharf.compose import identity
from wharf.compose.bake import bake_document
from wharf.compose.model.build import Build
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.compose.plan.images import Need
from wharf.errors import InvalidArgument, WharfError
from wharf.lib.light_json import dumps_pretty
from wharf.lib.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.compose.execute.engine import Engine


def _each_image(
    session: Session, names: dict[str, Service], words: tuple[str, str], do: Callable[[str, Service], None], *,
    forgive: bool,
) -> int:  # fmt: skip
    tell = progress_of(session).tell
    code = 0
    for name, service in names.items():
        tell(f"Image {name}", words[0])
        try:
            do(name, service)
        except WharfError as error:
            if not forgive:
                raise
            session.warn(f"WARNING: {name}: {describe(error)}")
        else:
            tell(f"Image {name}", words[1])
    return code


# Flags of the first docker-compose that docker compose still takes, and does nothing for.
_OF_OLD = {"pull": ("parallel", "no-parallel"), "build": ("compress", "force-rm", "no-rm", "parallel")}


def _warn_of_old(session: Session, values: Values, command: str) -> None:
    for name in _OF_OLD[command]:
        if values.given(name):
            session.warn(f"option '--{name}' is DEPRECATED and will be ignored.")


def _pull(session: Session, values: Values, services: list[str]) -> int:
    _warn_of_old(session, values, "pull")
    project = load_project(session, services, dependencies=values.on("include-deps"))
    with engine_of(session) as engine:
        present = present_images(engine, project)
        names = {
            service.image: service
            for service in project.services.values()
            if to_pull(service, present, policy=values.text("policy"))
            and not (service.build is not None and values.on("ignore-buildable"))
        }
        if is_dry(session, values):
            session.print("\n".join(f"image:{name}, PullImage, pull" for name in names))
            return 0
        images = {name: platform_of(project, service.name) for name, service in names.items()}
        failures = pull_all(session, engine, images, quiet=values.on("quiet"))
    buildable = sorted(names[name].name for name in failures if names[name].build is not None)
    if buildable:
        session.warn(
            "WARNING: Some service image(s) must be built from source by running:\n    wharf compose build "
            + " ".join(buildable)
        )
    for name, error in failures.items():
        if not values.on("ignore-pull-failures"):
            raise error
        session.warn(f"WARNING: {name}: {describe(error)}")
    return 0


def to_pull(service: Service, present: Collection[str], *, policy: str) -> bool:
    """Return whether `pull` brings a service's image: its own policy may forbid it, or ask for it only when it lacks.

    Args:
        service: Runs the image.
        present: The images that are there.
        policy: ``--policy``, which counts instead of the services' own; empty for none.
    """
    own = policy or service.pull_policy
    if not service.image or own in {"build", "never"}:
        return False
    if own not in {"missing", "if_not_present"} or service.image not in present:
        return True
    return not policy and parse_reference(service.image).with_default_tag().tag == "latest"


def _push(session: Session, values: Values, services: list[str]) -> int:
    project = load_project(session, services, dependencies=values.on("include-deps"))
    names = {one.image: one for one in project.services.values() if one.build is not None and one.image}
    skipped = [one.name for one in project.services.values() if one.build is not None and not one.image]
    for name in skipped:
        session.warn(f"WARNING: service {name} has no image name, it is not pushed")
    if is_dry(session, values):
        session.print("\n".join(f"image:{name}, PushImage, push" for name in names))
        return 0
    with engine_of(session) as engine:
        forgive = values.on("ignore-push-failures")
        return push_images(session, engine, project, quiet=values.on("quiet"), forgive=forgive)


def push_images(session: Session, engine: Engine, project: Project, *, quiet: bool, forgive: bool) -> int:
    """Push the images that the project's services are built as; return the exit code.

    Raises:
        WharfError: one could not be pushed; with ``forgive`` that is told, and no failure.
    """

    def push(name: str, _: Service) -> None:
        repository, tag = split_reference(with_tag(name))
        stream = engine.images.push(repository, tag=tag, auth=auth_header(name, os.environ))
        show_progress(stream, None if quiet else sys.stderr)

    names = {one.image: one for one in project.services.values() if one.build is not None and one.image}
    return _each_image(session, names, ("Pushing", "Pushed"), push, forgive=forgive)


def _build(session: Session, values: Values, services: list[str]) -> int:
    project = load_project(session, services, dependencies=values.on("with-dependencies"))
    project = _asked(project, values)
    _warn_of_old(session, values, "build")
    if values.given("progress"):
        session.warn("--progress is a global compose flag, better use `wharf compose --progress xx build ...`")
    quiet = values.on("quiet") or values.text("progress") == "quiet"
    if values.number("memory"):
        session.warn("WARNING: --memory is not supported by BuildKit, and has no effect")
    needs = [
        Need("build", identity.image_name(project, one), name, "build")
        for name, one in sorted(project.services.items())
        if one.build is not None
    ]
    if values.on("print"):
        push, check = values.on("push"), values.on("check")
        session.print(
            dumps_pretty(
                bake_document(project, [need.service for need in needs], push=push, check=check), indent="  "
            )
        )
        return 0
    if is_dry(session, values):
        session.print("\n".join(map(str, builds_in_order(project, needs))))
        return 0
    if values.on("check"):
        return max((check_service(session, project.services[need.service]) for need in needs), default=0)
    if not needs:
        session.warn("No services to build")
        return 0
    tell = progress_of(session).tell
    for need in builds_in_order(project, needs):
        tell(f"Image {need.name}", "Building")
        build_service(session, project, project.services[need.service], quiet=quiet, single=False)
        tell(f"Image {need.name}", "Built")
    return _push(session, values, services) if values.on("push") else 0


def _asked(project: Project, values: Values) -> Project:
    """Return the project, its builds with what the command line says."""
    given: dict[str, str | None] = {}
    for item in values.items("build-arg"):
        name, equals, value = item.partition("=")
        if not name:
            raise InvalidArgument(f"invalid --build-arg {item!r}")
        given[name] = value if equals else project.environment.get(name)
    services = {
        name: one if one.build is None else msgspec.structs.replace(one, build=_changed(one.build, given, values))
        for name, one in project.services.items()
    }
    return msgspec.structs.replace(project, services=services)


def _changed(build: Build, arguments: dict[str, str | None], values: Values) -> Build:
    agents = {
        name: path if equals else None for name, equals, path in (one.partition("=") for one in values.items("ssh"))
    }
    return msgspec.structs.replace(
        build, args={**build.args, **arguments}, ssh={**build.ssh, **agents},
        pull=build.pull or values.on("pull"), no_cache=build.no_cache or values.on("no-cache"),
        provenance=values.text("provenance") or build.provenance, sbom=values.text("sbom") or build.sbom,
    )  # fmt: skip


COMMANDS = (
    Command(
        "compose pull", _pull, "Download the images of services", arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("ignore-buildable", "bool", "Leave out what can be built"),
            Flag("ignore-pull-failures", "bool", "Go on after a failure"),
            Flag("include-deps", "bool", "Also of services they depend on"),
            Flag("policy", "string", "missing or always", check=one_of(("missing", "always"))),
            Flag("quiet", "bool", "No progress", short="q"),
            *(Flag(name, "bool") for name in _OF_OLD["pull"]), DRY_RUN,
        ),
        examples=("wharf compose pull", "wharf compose pull --policy missing web"),
    ),
    Command(
        "compose push", _push, "Upload the images of services", arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("ignore-push-failures", "bool", "Go on after a failure"),
            Flag("include-deps", "bool", "Also of services they depend on"),
            Flag("quiet", "bool", "No progress", short="q"), DRY_RUN,
        ),
        examples=("wharf compose push",),
    ),
    Command(
        "compose build", _build, "Build the images of services", arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("build-arg", "list", "An argument for all builds, name=value"),
            Flag("builder", refusal="the engine builds by itself"),
            Flag("check", "bool", "Look at the Dockerfiles only"),
            Flag("memory", "bytes", "Has no effect, as with BuildKit", short="m"),
            Flag("no-cache", "bool", "Use no results of earlier builds"),
            Flag("print", "bool", "Print a file for `docker buildx bake`"),
            Flag("provenance", "string", "Say how images were made: true, or mode=min|max,version=v1,..."),
            Flag("pull", "bool", "Ask for newer base images"),
            Flag("push", "bool", "Push the images then"),
            Flag("quiet", "bool", "Say nothing but failures", short="q"),
            Flag("sbom", "string", "Say what software is in them: true, or generator=IMAGE that scans it"),
            Flag("ssh", "list", "Lend an SSH agent to all builds: default, or ID=SOCKET"),
            Flag("with-dependencies", "bool", "Also of services they depend on"),
            *(Flag(name, "bool") for name in _OF_OLD["build"]), Flag("progress", "string"), DRY_RUN,
        ),
        examples=("wharf compose build", "wharf compose build --build-arg V=2 web"),
    ),
)  # fmt: skip
