"""Building one service's image, as its ``build`` says."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from wharf.cli.build.attributes import agents_of, attests_of, contexts_of, grants_of
from wharf.cli.command import Session, terminal_width
from wharf.cli.flags import parse
from wharf.client.documents import as_document
from wharf.client.system import System
from wharf.compose import identity
from wharf.compose.load.paths import is_remote
from wharf.compose.model.build import Build, printed_hosts
from wharf.compose.model.project import Project
from wharf.compose.model.resources import Ulimit
from wharf.compose.model.service import Service
from wharf.errors import InvalidArgument, NotImplementedHere, WharfError
from wharf.spec.frontend_options import SECRET_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE = "service:"


def check_build(service: Service, build: Build) -> None:
    """Refuse by name what a build here cannot do.

    Raises:
        NotImplementedHere: it asks for such a thing.
    """
    if build.isolation not in {"", "default"}:
        raise NotImplementedHere(f"services.{service.name}.build.isolation is not supported here")


def grants(build: Build) -> list[str]:
    """Return what a build's commands may do beyond their sandbox."""
    asked = [*build.entitlements, *(["security.insecure"] if build.privileged else [])]
    return grants_of(asked, build.network)


def platforms_of(project: Project, service: Service, build: Build, *, single: bool) -> list[str]:
    """Return the platforms to build for; none where the engine chooses.

    Args:
        project: Its variables may have a default platform.
        service: May run on one.
        build: May be for several.
        single: Whether the image is to be run here: then one is chosen, or the choice left to the engine.

    Raises:
        InvalidArgument: the build is not for the default platform.
    """
    default = project.environment.get("DOCKER_DEFAULT_PLATFORM", "")
    platform = service.platform or default
    if platform == default and build.platforms and default and default not in build.platforms:
        raise InvalidArgument(
            f'service "{service.name}" build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: '
            f"{default}"
        )
    if platform and (single or not build.platforms):
        return [platform]
    return [] if single and len(build.platforms) > 1 else build.platforms


def build_options(project: Project, service: Service, build: Build, *, single: bool = False) -> dict[str, str]:
    """Return the options of the Dockerfile frontend, but for where the files are. Pure."""
    labels = identity.image_labels(project, service, build.labels)
    found = {
        "target": build.target,
        "image-resolve-mode": "pull" if build.pull else "",
        "force-network-mode": {"default": ""}.get(build.network, build.network),
        "add-hosts": ",".join(printed_hosts(build.extra_hosts)),
        "platform": ",".join(platforms_of(project, service, build, single=single)),
        "shm-size": str(int(build.shm_size) or ""),
        "ulimit": ",".join(_ulimit(name, value) for name, value in sorted(build.ulimits.items())),
    }
    found = {name: value for name, value in found.items() if value}
    skipped = [build.no_cache_filter] if isinstance(build.no_cache_filter, str) else build.no_cache_filter
    if build.no_cache:
        found["no-cache"] = ""
    elif any(skipped):
        found["no-cache"] = ",".join(skipped)
    found |= {f"build-arg:{name}": value for name, value in build.args.items() if value is not None}
    found |= attests_of([], build.provenance, build.sbom)
    return found | {f"label:{name}": value for name, value in labels.items()}


def _ulimit(name: str, value: Ulimit | int) -> str:
    soft, hard = (value, value) if isinstance(value, int) else (value.soft, value.hard)
    return f"{name}={soft}:{hard}"


def contexts(project: Project, build: Build) -> tuple[dict[str, str], dict[str, str]]:
    """Return further contexts as options, and the folders that they name; ``service:NAME`` is that service's image.

    Raises:
        InvalidArgument: there is no such folder.
    """
    texts = []
    for name, where in sorted(build.additional_contexts.items()):
        if where.startswith(_SERVICE):
            other = project.services[where.removeprefix(_SERVICE)]
            where = f"docker-image://{identity.image_name(project, other)}"  # noqa: PLW2901  # the same, as an image
        texts.append(f"{name}={where}")
    return contexts_of(texts)


def lent_secrets(project: Project, service: Service, build: Build) -> dict[str, Callable[[], bytes]]:
    """Return the secrets of a build as what reads them.

    Raises:
        InvalidArgument: the project does not have one, or it comes from nowhere that can be read here.
    """
    from wharf.cli.build.attributes import secrets_of  # noqa: PLC0415  # few builds have any

    texts = []
    for one in build.secrets:
        secret = project.secrets.get(one.source)
        if secret is None or not (secret.file or secret.environment):
            raise InvalidArgument(
                f"services.{service.name}.build.secrets: {one.source} is not a secret with a file or an environment"
            )
        place = f"src={secret.file}" if secret.file else f"env={secret.environment}"
        texts.append(f"id={one.target or one.source},{place}")
    return secrets_of(texts, project.environment)


def secret_files(engine: Callable[[], str], service: Service, build: Build) -> dict[str, str]:
    """Return whose a build's secrets are, and their modes, as options of the Dockerfile frontend.

    Args:
        engine: Tells whose engine builds; BuildKit's own frontend would do as if nothing was said.
        service: Which is built.
        build: How.

    Raises:
        InvalidArgument: a user or group is no number.
        NotImplementedHere: another engine than ours builds.
    """
    found = {}
    for number, one in enumerate(build.secrets):
        if not (one.uid or one.gid or one.mode is not None):
            continue
        place = f"services.{service.name}.build.secrets.{number}"
        if not all(text.isdecimal() for text in (one.uid, one.gid) if text):
            raise InvalidArgument(f"{place}: uid and gid must be numbers")
        if engine() != "Wharf":
            raise NotImplementedHere(
                f"{place} is not supported by this engine with uid, gid or mode: "
                "the step that mounts it says them (RUN --mount=type=secret,uid=...)"
            )
        mode = "" if one.mode is None else format(one.mode, "o")
        found[f"{SECRET_FILE}{one.target or one.source}"] = f"{one.uid}:{one.gid}:{mode}"
    return found


def _whose(session: Session) -> str:
    document = as_document(System(session.client).version().get("Platform"))
    return str(document.get("Name", ""))


def check_service(session: Session, service: Service) -> int:
    """Look at a service's Dockerfile; return the exit code of what is found.

    Raises:
        WharfError: it cannot be looked at.
    """
    import tempfile  # noqa: PLC0415  # few look before they build

    from wharf.cli.registry import load  # noqa: PLC0415

    build = service.build
    assert build is not None
    command = load("build")
    assert command is not None
    with tempfile.TemporaryDirectory() as folder:
        dockerfile = os.path.join(build.context, build.dockerfile or "Dockerfile")
        if build.dockerfile_inline:
            dockerfile = os.path.join(folder, "Dockerfile")
            with open(dockerfile, "w", encoding="utf-8") as file:
                file.write(build.dockerfile_inline)
        words = ["--check", "--file", dockerfile, *(["--target", build.target] if build.target else [])]
        for name, value in build.args.items():
            words += ["--build-arg", f"{name}={value or ''}"]
        values, rest = parse(command.flags, [*words, build.context])
        return command.action(session, values, rest)


def build_service(
    session: Session, project: Project, service: Service, *, quiet: bool = False, single: bool = True
) -> str:
    """Build a service's image and return its id; what commands say goes to stderr.

    Raises:
        WharfError: it failed, or asks for what cannot be done here.
    """
    # They bring protobuf and asyncio, which few commands need.
    from wharf.cli.build.caches import caches_of, enter  # noqa: PLC0415
    from wharf.cli.build.modern import folders_of, lines_of, shared_key  # noqa: PLC0415
    from wharf.cli.build.outputs import Output  # noqa: PLC0415
    from wharf.cli.build.serving import Lent  # noqa: PLC0415
    from wharf.cli.build.show import display_of  # noqa: PLC0415
    from wharf.cli.build.solve import Asked, solve  # noqa: PLC0415
    from wharf.rpc.status import CallFailed  # noqa: PLC0415

    build = service.build
    assert build is not None
    check_build(service, build)
    options = build_options(project, service, build, single=single)
    options |= secret_files(lambda: _whose(session), service, build)
    named, folders = contexts(project, build)
    with ExitStack() as stack:
        if is_remote(build.context):
            options |= {"context": build.context, "filename": build.dockerfile or "Dockerfile"}
        else:
            inline = build.dockerfile_inline.encode() if build.dockerfile_inline else None
            dockerfile = os.path.join(build.context, build.dockerfile or "Dockerfile")
            folders |= folders_of(build.context, dockerfile, inline, options, stack)
        agents = [name if path is None else f"{name}={path}" for name, path in build.ssh.items()]
        caches = caches_of(build.cache_from, build.cache_to)
        lent = Lent(
            folders, lent_secrets(project, service, build), agents_of(agents, os.environ), stores=caches.folders
        )
        names = ",".join([identity.image_name(project, service), *build.tags])
        outputs = [Output("image", attributes={"name": names})]
        display = display_of("quiet" if quiet else "plain", sys.stderr, terminal_width())
        try:
            key = shared_key(build.context)
            asked = Asked({**options, **named}, outputs, lent, key, caches.options, grants(build))
            told = solve(session.client, asked, display)
        except CallFailed as error:
            sys.stderr.write(lines_of(error))
            raise WharfError(f"target {service.name}: failed to solve: {error}") from error
    enter(caches, told)
    return told.get("containerimage.config.digest", "")
