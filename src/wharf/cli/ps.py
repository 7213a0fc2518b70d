"""``wharf ps``."""

from __future__ import annotations

import time

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_rows
from wharf.cli.ports import show_ports
from wharf.cli.rows import field
from wharf.client.containers import Containers
from wharf.client.documents import as_documents, number, section, text, texts
from wharf.lib.durations import human_duration
from wharf.lib.sizes import human_size
from wharf.lib.tables import ellipsis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_COLUMNS = ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names")
_HEADERS = {"ID": "CONTAINER ID"}


def _names(summary: Document) -> list[str]:
    # A linked container also has names below others': /web/db.
    return [name.removeprefix("/") for name in texts(summary, "Names") if name.count("/") == 1]


def _image(summary: Document, *, full: bool) -> str:
    image = text(summary, "Image")
    if not full and image == text(summary, "ImageID"):
        return image.removeprefix("sha256:")[:12]
    return image or "<no image>"


def container_row(summary: Document, now: float, *, full: bool) -> dict[str, str]:
    """Return the fields of one line of ``ps``, from a ContainerSummary."""
    command = text(summary, "Command")
    mounts = [text(mount, "Name") or text(mount, "Source") for mount in as_documents(summary.get("Mounts"))]
    created = number(summary, "Created")
    size = human_size(number(summary, "SizeRw"), digits=3)
    if number(summary, "SizeRootFs"):
        size += f" (virtual {human_size(number(summary, 'SizeRootFs'), digits=3)})"
    labels = section(summary, "Labels")
    return {
        "ID": text(summary, "Id") if full else text(summary, "Id")[:12],
        "Image": _image(summary, full=full),
        "Command": '"' + (command if full else ellipsis(command, 20)) + '"',
        "RunningFor": f"{human_duration(max(0.0, now - created))} ago",
        "CreatedAt": time.strftime("%Y-%m-%d %H:%M:%S %z %Z", time.localtime(created)),
        "Status": text(summary, "Status"),
        "State": text(summary, "State"),
        "Ports": show_ports(as_documents(summary.get("Ports"))),
        "Names": ",".join(_names(summary)),
        "Labels": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        "Mounts": ",".join(mount if full else ellipsis(mount, 15) for mount in mounts),
        "Networks": ",".join(sorted(section(summary, "NetworkSettings", "Networks"))),
        "LocalVolumes": str(sum(mount.get("Driver") == "local" for mount in as_documents(summary.get("Mounts")))),
        "Size": size,
        "Platform": _platform(summary),
    }


def _platform(summary: Document) -> str:
    """Return which platform its image is for, as engines tell from API 1.48 on."""
    platform = section(summary, "ImageManifestDescriptor", "platform")
    names = [text(platform, name) for name in ("os", "architecture", "variant")]
    return field("/".join(filter(None, names)), platform or None)


def _wants_size(template: str) -> bool:
    """Return whether a template shows the size, which takes the engine long to find."""
    return ".Size" in template or "json ." in template


def ps(session: Session, values: Values, _: list[str]) -> int:
    """List containers."""
    limit = 1 if values.on("latest") else max(0, values.number("last"))
    template = values.text("format")
    size = values.on("size") or (_wants_size(template) and not values.on("quiet"))
    found = Containers(session.client).list(
        all_states=values.on("all"), limit=limit, size=size, filters=parse_filters(values.items("filter"))
    )
    full = values.on("no-trunc")
    if values.on("quiet") and not template:
        for summary in found:
            session.print(text(summary, "Id") if full else text(summary, "Id")[:12])
        return 0
    now = time.time()
    rows = [container_row(summary, now, full=full) for summary in found]
    columns = (*_COLUMNS, "Size") if values.on("size") else _COLUMNS
    flexible = () if full else ("Ports", "Command", "Image")
    print_rows(session, rows, columns, template=template, headers=_HEADERS, flexible=flexible)
    return 0


COMMANDS = (
    Command(
        "ps",
        ps,
        "List containers",
        flags=(
            Flag("all", "bool", "Also those that do not run", short="a"),
            Flag("filter", "list", "Only some, such as status=exited or name=web", short="f"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("last", "int", "The so many created last, in any state", short="n", default=-1),
            Flag("latest", "bool", "The one created last, in any state", short="l"),
            Flag("no-trunc", "bool", "Whole ids and commands"),
            Flag("quiet", "bool", "Only ids", short="q"),
            Flag("size", "bool", "What they take on disk", short="s"),
        ),
        examples=("wharf ps -a", "wharf ps --filter status=exited -q", "wharf ps --format '{{.Names}}: {{.Status}}'"),
    ),
)
