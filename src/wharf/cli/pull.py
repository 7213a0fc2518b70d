"""Images from and to registries: pull, push, search."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.images import split_reference
from wharf.cli.output import parse_filters, print_rows
from wharf.cli.progress import show_progress
from wharf.client.credentials import auth_header
from wharf.client.documents import number, text
from wharf.client.images import Images
from wharf.errors import InvalidArgument
from wharf.lib.tables import ellipsis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from wharf.cli.command import Session
    from wharf.cli.flags import Values

_DESCRIPTION = 45


def pull_image(session: Session, name: str, *, platform: str, out: TextIO | None) -> None:
    """Bring an image from its registry, telling ``out`` how it goes.

    Raises:
        WharfError: why it could not be had.
    """
    stream = Images(session.client).pull(with_tag(name), platform=platform, auth=auth_header(name, os.environ))
    show_progress(stream, out)


def with_tag(name: str) -> str:
    """Return ``name`` with the tag ``latest`` when it has neither tag nor digest."""
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def canonical(name: str) -> str:
    """Return a name with its registry, as people are told what was pulled: ``docker.io/library/busybox:latest``."""
    first, slash, _ = name.partition("/")
    if slash and (set(".:") & set(first) or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _pull(session: Session, values: Values, arguments: list[str]) -> int:
    name, quiet = arguments[0], values.on("quiet")
    if values.on("all-tags"):
        if with_tag(name) == name:
            raise InvalidArgument("tag can't be used with --all-tags/-a")
    elif with_tag(name) != name:
        if not quiet:
            session.print("Using default tag: latest")
        name = with_tag(name)
    stream = Images(session.client).pull(name, platform=values.text("platform"), auth=auth_header(name, os.environ))
    show_progress(stream, None if quiet else sys.stdout)
    session.print(canonical(name))
    return 0


def _push(session: Session, values: Values, arguments: list[str]) -> int:
    name, quiet = arguments[0], values.on("quiet")
    tag = ""
    if values.on("all-tags"):
        if with_tag(name) == name:
            raise InvalidArgument("tag can't be used with --all-tags/-a")
    else:
        if with_tag(name) != name and not quiet:
            session.print("Using default tag: latest")
        name, tag = split_reference(name)
    stream = Images(session.client).push(
        name, tag=tag, platform=values.text("platform"), auth=auth_header(name, os.environ)
    )
    show_progress(stream, None if quiet else sys.stdout)
    if quiet:
        session.print(canonical(f"{name}:{tag}" if tag else name))
    return 0


def _search(session: Session, values: Values, arguments: list[str]) -> int:
    filters = parse_filters(values.items("filter"))
    found = Images(session.client).search(
        arguments[0], limit=values.number("limit"), filters=filters, auth=auth_header(arguments[0], os.environ)
    )
    full = values.on("no-trunc")
    rows = []
    for item in found:
        description = text(item, "description").replace("\n", " ")
        rows.append(
            {
                "Name": text(item, "name"),
                "Description": description if full else ellipsis(description, _DESCRIPTION),
                "StarCount": str(number(item, "star_count")),
                "IsOfficial": "[OK]" if item.get("is_official") is True else "",
            }
        )
    columns = ("Name", "Description", "StarCount", "IsOfficial")
    headers = {"StarCount": "STARS", "IsOfficial": "OFFICIAL"}
    print_rows(session, rows, columns, template=values.text("format"), headers=headers)
    return 0


COMMANDS = (
    Command(
        "pull", _pull, "Download an image from a registry", arguments="NAME[:TAG|@DIGEST]", count=(1, 1),
        flags=(
            Flag("all-tags", "bool", "All tags of the repository", short="a"),
            Flag("disable-content-trust", "bool", "No signatures are looked at in any case", default=True),
            Flag("platform", "string", "Which of an image for several: os/architecture[/variant]"),
            Flag("quiet", "bool", "No progress", short="q"),
        ),
        examples=("wharf pull debian:bookworm", "wharf pull --platform linux/arm64 alpine"),
    ),
    Command(
        "push", _push, "Upload an image to a registry", arguments="NAME[:TAG]", count=(1, 1),
        flags=(
            Flag("all-tags", "bool", "All tags of the repository", short="a"),
            Flag("disable-content-trust", "bool", "No signatures are made in any case", default=True),
            Flag("platform", "string", "Only the image for this one; all that are here unless given"),
            Flag("quiet", "bool", "No progress", short="q"),
        ),
        examples=("wharf push registry.example.org/app:1.2",),
    ),
    Command(
        "search", _search, "Search a registry for images", arguments="TERM", count=(1, 1),
        flags=(
            Flag("filter", "list", "Only some, such as stars=3 or is-official=true", short="f"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("limit", "int", "How many at most"),
            Flag("no-trunc", "bool", "Whole descriptions"),
        ),
        examples=("wharf search busybox",),
    ),
)  # fmt: skip
