"""`wharf compose publish`: a project's files to a registry, from where ``-f oci://...`` runs them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.digests import locked, pinned
from wharf.cli.compose.engine import engine_of
from wharf.cli.compose.progress import progress_of
from wharf.cli.compose.project import files_of, load_request, request_of
from wharf.cli.compose.transfers import push_images
from wharf.cli.flags import Flag, one_of
from wharf.client.registry.repository import Repository
from wharf.compose.load.canonical import canonical
from wharf.compose.load.located import Map
from wharf.compose.load.yaml import parse
from wharf.compose.model.project import Project
from wharf.compose.publish import findings
from wharf.compose.publish.artifact import Blob, layers
from wharf.compose.publish.bundle import Bundle, gathered
from wharf.compose.publish.push import push_application, push_artifact
from wharf.compose.yaml_text import to_yaml
from wharf.errors import InvalidArgument
from wharf.lib.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values

_CANCELLED = 130


def _publish(session: Session, values: Values, arguments: list[str]) -> int:
    request = replace(request_of(session), profiles=["*"])
    project = load_request(session, request).project
    _check_images(project)
    files = files_of(session, request)
    bundle = gathered(project.files, project.working_dir, project.environment, files)
    texts = _texts(project, bundle, files.read)
    for question in _questions(project, bundle, texts, with_env=values.on("with-env")):
        if not _agreed(session, values, question):
            session.warn("canceled")
            return _CANCELLED
    target = parse_reference(arguments[0].removeprefix("oci://")).with_default_tag()
    digests = ""
    if values.on("resolve-image-digests") or values.on("app"):
        project = pinned(project, session.client)
        digests = to_yaml(locked(project, session.warn))
    blobs = layers(bundle, variables=values.on("with-env"), digests=digests)
    if is_dry(session, values):
        for blob in blobs:
            session.print(f"artifact:{target}, PushLayer, {', '.join(blob.annotations.values())}")
        return 0
    _push(session, values, project, Repository(target, os.environ, plain=values.on("insecure-registry")), blobs)
    return 0


def _push(session: Session, values: Values, project: Project, repository: Repository, blobs: list[Blob]) -> None:
    if any(one.build is not None for one in project.services.values()):
        with engine_of(session) as engine:
            push_images(session, engine, project, quiet=False, forgive=True)
    tell = progress_of(session).tell
    name = repository.name.familiar
    tell(name, "publishing")
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    manifest = push_artifact(repository, blobs, values.text("oci-version"), created)
    if values.on("app"):
        images = []
        for image in sorted({one.image for one in project.services.values() if one.image}):
            reference = parse_reference(image).with_default_tag()
            plain = values.on("insecure-registry") and reference.domain == repository.name.domain
            source = Repository(reference, os.environ, plain=plain)
            images.append((source, str(reference.digest or reference.tag)))
        push_application(repository, manifest, images, lambda image: tell(f"Image {image}", "Copying"))
    tell(name, "published")


def _check_images(project: Project) -> None:
    lacking = [f'- "{name}"' for name, one in sorted(project.services.items()) if one.build and not one.image]
    if lacking:
        raise InvalidArgument(
            "your Compose stack cannot be published as it only contains a build section for service(s):\n"
            + "\n".join(lacking)
        )


def _texts(project: Project, bundle: Bundle, read: Callable[[str], str | None]) -> dict[str, str]:
    """Return all that is looked through for secrets, by path: what is published, and what it refers to."""
    texts = dict(bundle.published())
    texts |= {bundle.paths[name]: text for name, text in bundle.variables.items()}
    for one in (*project.configs.values(), *project.secrets.values()):
        if one.file and (text := read(one.file)) is not None:
            texts[one.file] = text
    return texts


def _questions(project: Project, bundle: Bundle, texts: dict[str, str], *, with_env: bool) -> list[str]:
    """Return what the user has to agree to."""
    trees = [
        canonical(document, interpolated=False)
        for path, text in bundle.published()
        for document in parse(text, path)
        if isinstance(document, Map)
    ]
    asked = (
        ("you are about to publish bind mounts (as declared, without what is in them) within your OCI artifact.",
         findings.bind_mounts(project)),
        ("you are about to publish sensitive data within your OCI artifact.", findings.sensitive(texts)),
        ("you are about to publish env-related declarations within your OCI artifact; --with-env agrees to that.",
         [] if with_env else findings.environment(trees)),
        ("you are about to publish literal inline config content within your OCI artifact.",
         findings.literal_configs(trees)),
    )  # fmt: skip
    return [_question(what, lines) for what, lines in asked if lines]


def _question(what: str, lines: Sequence[str]) -> str:
    return "\n".join([what, *(f"  {line}" for line in lines), "Are you ok to publish this? [y/N] "])


def _agreed(session: Session, values: Values, question: str) -> bool:
    if values.on("yes"):
        return True
    session.warn(question)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


COMMANDS = (
    Command(
        "compose publish", _publish, "Publish a project's files to a registry", arguments="REPOSITORY[:TAG]",
        count=(1, 1),
        flags=(
            Flag("app", "bool", "With all images, which are pinned to their digests"),
            Flag("insecure-registry", "bool", "It may show any certificate, or speak no TLS"),
            Flag("oci-version", "string", "Of the image specification, 1.0 or 1.1 (else what the registry takes)",
                 check=one_of(("1.0", "1.1"))),
            Flag("resolve-image-digests", "bool", "Pin images to their digests"),
            Flag("with-env", "bool", "With files of variables"),
            Flag("yes", "bool", "Say yes to all questions", short="y"), DRY_RUN,
        ),
        examples=("wharf compose publish example.com/me/app:1", "wharf compose -f oci://example.com/me/app:1 up"),
    ),
)  # fmt: skip
