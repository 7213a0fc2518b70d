"""`wharf compose bridge`: a project converted into another model, by images that are made for that."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.project import files_of, load_request, request_of, warn
from wharf.cli.cp import COMMANDS as COPYING
from wharf.cli.cp import copy
from wharf.cli.flags import Flag, one_of, parse
from wharf.cli.output import print_rows
from wharf.cli.pull import pull_image, with_tag
from wharf.cli.run import COMMANDS as RUNNING
from wharf.cli.run import run
from wharf.client.containers import Containers
from wharf.client.documents import number, section, text, texts
from wharf.client.drafts import draft_folder
from wharf.client.images import Images
from wharf.compose import identity
from wharf.compose.bridge.transformation import DEFAULT, LABEL, dockerfile, model
from wharf.compose.yaml_text import to_yaml
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.lib.light_json import dumps
from wharf.lib.reference import parse_reference
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document
    from wharf.compose.model.project import Project
    from wharf.compose.model.service import Service

_DRAFT = ".wharf-bridge-"
_MODE = 0o755
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_COLUMNS = {"ID": "IMAGE ID", "Repository": "REPO", "Tags": "TAGS", "Size": "SIZE"}


def _convert(session: Session, values: Values, _: list[str]) -> int:
    request = request_of(session)
    project = load_request(session, request).project
    output = _checked(os.path.abspath(values.text("output")), project)
    transformations = values.items("transformation") or [DEFAULT]
    if is_dry(session, values):
        for image in transformations:
            session.print(" ".join(["wharf", "run", *_words(values, "compose.yaml", output), image]))
        return 0
    exposed = {name: _exposed(session, project, service) for name, service in project.services.items()}
    document = to_yaml(model(project, exposed, files_of(session, request)))
    for image in transformations:
        _inspect(session, image)  # before anything is done
    parent = os.path.dirname(output)
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wharf-bridge-") as folder, draft_folder(parent, _DRAFT) as made:
        os.chmod(made, _MODE)
        path = os.path.join(folder, "compose.yaml")
        with open(os.open(path, _NEW, 0o600), "w", encoding="utf-8") as file:  # what is secret is in it
            file.write(document)
        for image in transformations:
            flags, _rest = parse(RUNNING[0].flags, _words(values, folder, made))
            if code := run(session, flags, [image]):
                session.warn(f"{image} failed: what was in {output} is there still")
                return code
        if os.path.isdir(output):
            shutil.rmtree(output)
        os.rename(made, output)
    return 0


def _checked(output: str, project: Project) -> str:
    """Return the path of the results' folder, whose old content goes.

    Raises:
        InvalidArgument: it is no folder, or what is not a result would go with it.
    """
    if os.path.lexists(output) and (os.path.islink(output) or not os.path.isdir(output)):
        raise InvalidArgument(f"{output} is no folder")
    for kept in (project.working_dir, os.getcwd(), os.path.expanduser("~")):
        if os.path.commonpath([os.path.realpath(kept), os.path.realpath(output)]) == os.path.realpath(output):
            raise InvalidArgument(f"results take the place of {output}, which {kept} is in: name another folder")
    return output


def _words(values: Values, folder: str, output: str) -> list[str]:
    """Return the flags of `run` with which a transformation runs (docker compose, pkg/bridge/convert.go)."""
    words = ["--rm", "--user", str(os.getuid()), "--env", "LICENSE_AGREEMENT=true", "-v", f"{folder}:/in"]
    words += ["-v", f"{output}:/out"]
    if values.text("templates"):
        words += ["-v", f"{os.path.abspath(values.text('templates'))}:/templates"]
    return words


def _exposed(session: Session, project: Project, service: Service) -> list[str]:
    if service.provider is not None:
        return []
    name = identity.image_name(project, service)
    if service.build is None or service.image:
        return list(section(_inspect(session, name), "Config", "ExposedPorts"))
    try:
        return list(section(Images(session.client).inspect(name), "Config", "ExposedPorts"))
    except NotFound:
        said = f"service {service.name}: the ports that its Dockerfile exposes are left out"
        warn(session, [f"{said}: {name} is not built (`wharf compose build` does it)"])
        return []


def _inspect(session: Session, name: str) -> Document:
    """Return an image's record, which is pulled where it is missing.

    Raises:
        WharfError: it cannot be had.
    """
    images = Images(session.client)
    try:
        return images.inspect(name)
    except NotFound:
        session.warn(f"Unable to find image '{with_tag(name)}' locally")
    pull_image(session, name, platform="", out=sys.stderr)
    return images.inspect(name)


def _create(session: Session, values: Values, arguments: list[str]) -> int:
    output, source = os.path.abspath(arguments[0]), values.text("from") or DEFAULT
    if os.path.lexists(output):
        raise Conflict(f"output folder {output} already exists")
    if is_dry(session, values):
        session.print(f"{output}: templates of {source}")
        return 0
    _inspect(session, source)
    parent = os.path.dirname(output)
    os.makedirs(parent, exist_ok=True)
    containers = Containers(session.client)
    made = text(containers.create({"Image": source}), "Id")
    try:
        with draft_folder(parent, _DRAFT) as folder:
            os.chmod(folder, _MODE)
            flags, _rest = parse(COPYING[0].flags, ["--quiet"])
            copy(session, flags, [f"{made}:/templates", folder])
            with open(os.path.join(folder, "Dockerfile"), "x", encoding="ascii") as file:
                file.write(dockerfile())
            os.rename(folder, output)
    finally:
        containers.remove(made, force=True)
    session.print(f'Transformer created in "{output}"')
    return 0


def _list(session: Session, values: Values, _: list[str]) -> int:
    found = Images(session.client).list(filters={"label": [LABEL]})
    if values.on("quiet"):
        for one in found:
            session.print((texts(one, "RepoTags") or [text(one, "Id")])[0])
    elif values.text("format") == "json":
        session.print(dumps(found))
    else:
        print_rows(session, [image_row(one) for one in found], tuple(_COLUMNS), headers=_COLUMNS)
    return 0


def image_row(image: Document) -> dict[str, str]:
    """Return the row of a transformation (an ImageSummary) by its first name."""
    repository, tag = "<none>", "<none>"
    if names := texts(image, "RepoTags"):
        reference = parse_reference(names[0])
        repository, tag = reference.familiar_repository, reference.tag or tag
    return {
        "ID": text(image, "Id").removeprefix("sha256:")[:12],
        "Repository": repository,
        "Tags": tag,
        "Size": human_size(number(image, "Size"), digits=3),
    }


COMMANDS = (
    Command(
        "compose bridge convert", _convert, "Make Kubernetes manifests, Helm charts or other files of a project",
        flags=(
            Flag("output", "string", "The folder of the results, which takes its old one's place", short="o",
                 default="out"),
            Flag("templates", "string", "A folder of templates, instead of the transformation's own"),
            Flag("transformation", "list", f"The image that converts (default {DEFAULT})", short="t"), DRY_RUN,
        ),
        examples=("wharf compose bridge convert -o k8s", "wharf compose bridge convert -t me/to-nomad -o nomad"),
    ),
    Command(
        "compose bridge transformations create", _create, "Write the folder of a new transformation",
        arguments="PATH", count=(1, 1),
        flags=(Flag("from", "string", f"Whose templates to copy (default {DEFAULT})", short="f"), DRY_RUN),
        examples=("wharf compose bridge transformations create --from me/to-nomad mine",),
    ),
    Command(
        "compose bridge transformations list", _list, "List the transformations that this engine has",
        flags=(
            Flag("format", "string", "'table' or 'json'", default="table", check=one_of(("table", "json"))),
            Flag("quiet", "bool", "Only their names", short="q"),
        ),
        examples=("wharf compose bridge transformations list",),
    ),
)  # fmt: skip
