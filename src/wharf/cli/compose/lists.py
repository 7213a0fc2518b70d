"""Commands that list what a project, or this engine, has: projects, images, volumes, processes, figures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from wharf.cli.command import Command
from wharf.cli.compose.containers import containers_of, name_of, number_of, service_of
from wharf.cli.compose.project import load_or_name
from wharf.cli.flags import Flag, one_of
from wharf.cli.output import parse_filters, print_rows
from wharf.cli.stats import show_stats
from wharf.cli.volumes import volume_row
from wharf.client.containers import Containers
from wharf.client.documents import as_documents, number, section, text, texts
from wharf.client.images import Images
from wharf.client.volumes import Volumes
from wharf.compose import identity
from wharf.errors import InvalidArgument
from wharf.lib.durations import human_duration
from wharf.lib.light_json import dumps
from wharf.lib.moments import to_ns
from wharf.lib.sizes import human_size
from wharf.lib.tables import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_SHORT_ID = 12
_FORM = Flag("format", "string", "'table' or 'json'", default="table", check=one_of(("table", "json")))


def _ls(session: Session, values: Values, _: list[str]) -> int:
    found = Containers(session.client).list(
        all_states=values.on("all"), filters={"label": [identity.PROJECT, f"{identity.ONEOFF}=False"]}
    )
    wanted = _names_wanted(values)
    rows = [row for row in project_rows(found) if not wanted or any(name in row["Name"] for name in wanted)]
    if values.on("quiet"):
        for row in rows:
            session.print(row["Name"])
    elif values.text("format") == "json":
        session.print(dumps(rows))
    else:
        print_rows(session, rows, ("Name", "Status", "ConfigFiles"), headers={"ConfigFiles": "CONFIG FILES"})
    return 0


def _names_wanted(values: Values) -> list[str]:
    filters = parse_filters(values.items("filter"))
    for name in filters.keys() - {"name"}:
        raise InvalidArgument(f"invalid filter '{name}'")
    return filters.get("name", [])


def project_rows(found: list[Document]) -> list[dict[str, str]]:
    """Return a row for each project that containers (ContainerSummaries) are of, by name: its states are counted."""
    states: dict[str, Counter[str]] = {}
    files: dict[str, str] = {}
    for one in found:
        labels = section(one, "Labels")
        name = text(labels, identity.PROJECT)
        states.setdefault(name, Counter())[text(one, "State")] += 1
        files.setdefault(name, text(labels, identity.CONFIG_FILES))
    return [
        {
            "Name": name,
            "Status": ", ".join(f"{state}({count})" for state, count in sorted(states[name].items())),
            "ConfigFiles": files[name],
        }
        for name in sorted(states)
    ]


def _images(session: Session, values: Values, services: list[str]) -> int:
    found = containers_of(session, load_or_name(session), services, everything=True)
    images = Images(session.client)
    known: dict[str, Document] = {}
    rows = []
    for one in found:
        image_id = text(one, "ImageID")
        if image_id not in known:
            known[image_id] = images.inspect(image_id)
        rows.append(image_row(one, known[image_id], time.time()))
    if values.on("quiet"):
        for image_id in sorted(known):
            session.print(image_id.removeprefix("sha256:"))
    elif values.text("format") == "json":
        session.print(dumps([_image_fields(one, known[text(one, "ImageID")]) for one in found]))
    else:
        columns = ("Container", "Repository", "Tag", "Platform", "ImageID", "Size", "Created")
        print_rows(session, rows, columns, headers={"ImageID": "IMAGE ID"})
    return 0


def _named(summary: Document, image: Document) -> tuple[str, str]:
    """Return repository and tag: those that the container was asked for, else the image's first."""
    tags = texts(image, "RepoTags")
    asked = text(summary, "Image")
    chosen = next((tag for tag in tags if tag in (asked, f"{asked}:latest")), tags[0] if tags else "<none>:<none>")
    repository, _, tag = chosen.rpartition(":")
    return repository, tag


def _platform(image: Document) -> str:
    return "/".join(part for part in (text(image, name) for name in ("Os", "Architecture", "Variant")) if part)


def image_row(summary: Document, image: Document, now: float) -> dict[str, str]:
    """Return a row: a container (ContainerSummary) and the image (ImageInspect) that it was made from."""
    repository, tag = _named(summary, image)
    return {
        "Container": name_of(summary),
        "Repository": repository,
        "Tag": tag,
        "Platform": _platform(image),
        "ImageID": text(image, "Id").removeprefix("sha256:")[:_SHORT_ID],
        "Size": human_size(number(image, "Size"), digits=3),
        "Created": f"{human_duration(max(0.0, now - to_ns(text(image, 'Created')) / 1e9))} ago",
    }


def _image_fields(summary: Document, image: Document) -> dict[str, object]:
    repository, tag = _named(summary, image)
    return {
        "ID": text(image, "Id"),
        "ContainerName": name_of(summary),
        "Repository": repository,
        "Tag": tag,
        "Platform": _platform(image),
        "Size": number(image, "Size"),
        "Created": text(image, "Created"),
    }


def _volumes(session: Session, values: Values, services: list[str]) -> int:
    project = load_or_name(session)
    found = Volumes(session.client).list({"label": [f"{identity.PROJECT}={project.name}"]})
    if services:
        used = {
            text(mount, "Name")
            for one in containers_of(session, project, services, everything=True)
            for mount in as_documents(one.get("Mounts"))
        }
        found = [volume for volume in found if text(volume, "Name") in used]
    if values.on("quiet"):
        for volume in found:
            session.print(text(volume, "Name"))
        return 0
    rows = [volume_row(volume) for volume in found]
    headers = {"Name": "VOLUME NAME"}
    print_rows(session, rows, ("Driver", "Name"), template=values.text("format"), headers=headers)
    return 0


def _top(session: Session, _: Values, services: list[str]) -> int:
    containers = Containers(session.client)
    found = containers_of(session, load_or_name(session), services)
    rows = process_rows([(one, containers.top(text(one, "Id"))) for one in found])
    if len(rows) > 1:
        session.print(render(rows, least=0).rstrip("\n"))
    return 0


def process_rows(tops: list[tuple[Document, Document]]) -> list[list[str]]:
    """Return a table of containers' processes, titles first: of each a ContainerSummary and what ``top`` answers."""
    titles: list[str] = []
    lines: list[tuple[list[str], Mapping[str, str]]] = []
    for summary, answer in tops:
        own = texts(answer, "Titles")
        titles += [title for title in own if title not in titles]
        processes = answer.get("Processes")
        for process in processes if isinstance(processes, list) else []:
            cells = dict(zip(own, map(str, process), strict=False))
            lines.append(([service_of(summary), str(number_of(summary))], cells))
    return [
        ["SERVICE", "#", *titles],
        *([*head, *(cells.get(title, "-") for title in titles)] for head, cells in lines),
    ]


def _stats(session: Session, values: Values, services: list[str]) -> int:
    project = load_or_name(session)

    def running() -> list[str]:
        return [text(one, "Id") for one in containers_of(session, project, services, everything=values.on("all"))]

    return show_stats(session, values, running)


COMMANDS = (
    Command(
        "compose ls", _ls, "List the projects of this engine",
        flags=(
            Flag("all", "bool", "Also those of which nothing runs", short="a"),
            Flag("filter", "list", "Only some: name=PART"),
            _FORM,
            Flag("quiet", "bool", "Only names", short="q"),
        ),
        examples=("wharf compose ls -a",),
    ),
    Command(
        "compose images", _images, "List the images that containers were made from", arguments="[SERVICE...]",
        count=(0, None),
        flags=(_FORM, Flag("quiet", "bool", "Only ids", short="q")),
        examples=("wharf compose images", "wharf compose images --format json web"),
    ),
    Command(
        "compose volumes", _volumes, "List a project's volumes", arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("quiet", "bool", "Only names", short="q"),
        ),
        examples=("wharf compose volumes",),
    ),
    Command(
        "compose top", _top, "Show the processes of services", arguments="[SERVICE...]", count=(0, None),
        examples=("wharf compose top web",),
    ),
    Command(
        "compose stats", _stats, "Show what services' containers use, live", arguments="[SERVICE]", count=(0, None),
        flags=(
            Flag("all", "bool", "Also those that do not run", short="a"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("no-stream", "bool", "Once, and end"),
            Flag("no-trunc", "bool", "Whole ids"),
        ),
        examples=("wharf compose stats --no-stream",),
    ),
)  # fmt: skip
