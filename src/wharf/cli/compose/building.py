"""Building one service's image, as its ``build`` says."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from wharf.cli.build.context import Context
from wharf.cli.command import Session
from wharf.client.builds import Builds
from wharf.client.documents import as_document, section, text
from wharf.compose import identity
from wharf.compose.load.paths import is_remote
from wharf.compose.model.build import Build, printed_hosts
from wharf.compose.model.project import Project
from wharf.compose.model.resources import Ulimit
from wharf.compose.model.service import Service
from wharf.errors import NotImplementedHere, WharfError
from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.client import Query

# What only a session of BuildKit could bring.
_REFUSED = ("additional_contexts", "ssh", "secrets", "cache_to", "entitlements", "privileged", "isolation",
            "provenance", "sbom", "no_cache_filter")  # fmt: skip


def check_build(service: Service, build: Build) -> None:
    """Refuse by name what a build here cannot do.

    Raises:
        NotImplementedHere: it asks for such a thing.
    """
    for name in _REFUSED:
        value = getattr(build, name)
        if value and value not in {"false"} if isinstance(value, str) else value:
            raise NotImplementedHere(f"services.{service.name}.build.{name}: it needs BuildKit's protocol")
    if len(build.platforms) > 1:
        raise NotImplementedHere(f"services.{service.name}.build.platforms: several platforms at once")


def build_query(
    project: Project, service: Service, build: Build, *, no_cache: bool = False, pull: bool = False
) -> Query:
    """Return the parameters of ``POST /build``, but for the Dockerfile's name."""
    labels = {**build.labels, identity.PROJECT: project.name, identity.SERVICE: service.name,
              identity.VERSION: identity.project_labels(project)[identity.VERSION]}  # fmt: skip
    platforms = build.platforms or ([service.platform] if service.platform else [])
    return {
        "t": [identity.image_name(project, service), *build.tags],
        "target": build.target,
        "nocache": (build.no_cache or no_cache) or None,
        "pull": (build.pull or pull) or None,
        "buildargs": dumps({k: v for k, v in build.args.items() if v is not None}) if build.args else None,
        "labels": dumps(labels),
        "networkmode": build.network,
        "extrahosts": [host.replace("=", ":", 1) for host in printed_hosts(build.extra_hosts)],
        "platform": platforms[0] if platforms else "",
        "shmsize": int(build.shm_size) or None,
        "ulimits": dumps([_ulimit(name, value) for name, value in sorted(build.ulimits.items())])
        if build.ulimits
        else None,
    }


def _ulimit(name: str, value: Ulimit | int) -> dict[str, object]:
    soft, hard = (value, value) if isinstance(value, int) else (value.soft, value.hard)
    return {"Name": name, "Soft": soft, "Hard": hard}


def build_service(
    session: Session, project: Project, service: Service, *, quiet: bool = False, no_cache: bool = False,
    pull: bool = False,
) -> str:  # fmt: skip
    """Build a service's image and return its id; what commands say goes to stderr.

    Raises:
        WharfError: it failed, or asks for what cannot be done here.
    """
    build = service.build
    assert build is not None
    check_build(service, build)
    query = dict(build_query(project, service, build, no_cache=no_cache, pull=pull))
    if is_remote(build.context):
        query |= {"remote": build.context, "dockerfile": build.dockerfile}
        archive: Iterable[bytes] = ()
    else:
        inline = build.dockerfile_inline.encode() if build.dockerfile_inline else None
        context = Context(build.context, "" if inline is not None else build.dockerfile, inline)
        query["dockerfile"] = context.dockerfile
        archive = context.archive()
    return _followed(Builds(session.client).build(archive, query), service, quiet=quiet)


def _followed(documents: Iterable[object], service: Service, *, quiet: bool) -> str:
    image, kept = "", ""
    for item in documents:
        document = as_document(item)
        image = text(section(document, "aux"), "ID") or image
        if said := text(document, "error"):
            sys.stderr.write(kept + text(section(document, "errorDetail"), "excerpt"))
            raise WharfError(f"target {service.name}: failed to solve: {said}")
        kept = kept + text(document, "stream") if quiet else ""
        if not quiet:
            sys.stderr.write(text(document, "stream"))
            sys.stderr.flush()
    return image
