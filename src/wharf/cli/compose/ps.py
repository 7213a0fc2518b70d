"""`wharf compose ps`: a project's containers."""

from __future__ import annotations

import time

from wharf.cli.command import Command
from wharf.cli.compose.containers import check_services
from wharf.cli.compose.project import load_or_name
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_rows
from wharf.cli.ps import container_row
from wharf.client.containers import Containers
from wharf.client.documents import as_documents, number, section, text
from wharf.compose import identity
from wharf.compose.model.project import Project
from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_STATES = ("paused", "restarting", "removing", "running", "dead", "created", "exited")
_COLUMNS = ("Name", "Image", "Command", "Service", "RunningFor", "Status", "Ports")
_HEADERS = {"RunningFor": "CREATED"}


def _ps(session: Session, values: Values, services: list[str]) -> int:
    project = load_or_name(session)
    check_services(project, services)
    found = _containers(session, project, values, services)
    full = values.on("no-trunc")
    if values.on("services"):
        for name in sorted({text(section(one, "Labels"), identity.SERVICE) for one in found}):
            session.print(name)
        return 0
    if values.on("quiet"):
        for one in found:
            session.print(text(one, "Id"))
        return 0
    rows = [service_row(one, time.time(), full=full) for one in found]
    template = values.text("format")
    if template == "json":
        for row, one in zip(rows, found, strict=True):
            session.print(dumps(dict(sorted({**row, **json_fields(one)}.items()))))
        return 0
    flexible = () if full else ("Ports", "Command", "Image")
    print_rows(session, rows, _COLUMNS, template=template, headers=_HEADERS, flexible=flexible)
    return 0


def _containers(session: Session, project: Project, values: Values, services: list[str]) -> list[Document]:
    states = [*values.items("status"), *_filtered(values)]
    # Those of `run` are shown with --all alone.
    filters = identity.filters(project.name, oneoff=None if values.on("all") else False)
    everything = values.on("all") or bool(states)
    found = Containers(session.client).list(all_states=everything, filters=filters)
    known = project.services.keys() | project.disabled.keys()
    chosen = []
    for one in found:
        service = text(section(one, "Labels"), identity.SERVICE)
        orphan = bool(project.files) and service not in known
        if (not services or service in services) and (values.on("orphans") or not orphan):
            chosen.append(one)
    return sorted((one for one in chosen if not states or text(one, "State") in states), key=_name)


def _filtered(values: Values) -> list[str]:
    found: list[str] = []
    for name, wanted in parse_filters([values.text("filter")] if values.text("filter") else []).items():
        if name != "status":
            raise InvalidArgument(f"unknown filter {name}")
        found += wanted
    return found


def _name(summary: Document) -> str:
    return service_row(summary, 0.0, full=True)["Name"]


def service_row(summary: Document, now: float, *, full: bool) -> dict[str, str]:
    """Return the fields of one line, from a ContainerSummary."""
    labels = section(summary, "Labels")
    row = container_row(summary, now, full=full)
    return {
        **row,
        "Name": row["Names"].partition(",")[0],
        "Service": text(labels, identity.SERVICE),
        "Project": text(labels, identity.PROJECT),
        "Health": _health(row["Status"]),
        "ExitCode": _exit_code(row["Status"]),
    }


def _health(status: str) -> str:
    words = ("healthy", "unhealthy", "starting")
    return next((word for word in words if f"({word})" in status or f"(health: {word})" in status), "")


def _exit_code(status: str) -> str:
    _, bracket, rest = status.partition("Exited (")
    return rest.partition(")")[0] if bracket else "0"


def json_fields(summary: Document) -> dict[str, object]:
    """Return the fields that JSON has as numbers and lists: the exit code and the published ports."""
    publishers = [
        {
            "URL": text(port, "IP"),
            "TargetPort": number(port, "PrivatePort"),
            "PublishedPort": number(port, "PublicPort"),
            "Protocol": text(port, "Type"),
        }
        for port in as_documents(summary.get("Ports"))
    ]
    return {"ExitCode": int(_exit_code(text(summary, "Status"))), "Publishers": publishers}


def _status(word: str) -> None:
    if word not in _STATES:
        raise InvalidArgument(f"choose one of {', '.join(_STATES)}")


COMMANDS = (
    Command(
        "compose ps", _ps, "List a project's containers", arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("all", "bool", "Also those that do not run, and those of `run`", short="a"),
            Flag("filter", "string", "Only some: status=STATE"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("no-trunc", "bool", "Whole ids and commands"),
            Flag("orphans", "bool", "Also services that the files do not have", default=True),
            Flag("quiet", "bool", "Only ids", short="q"),
            Flag("services", "bool", "Only the services' names"),
            Flag("status", "list", "Only those in a state, such as exited", check=_status),
        ),
        examples=("wharf compose ps", "wharf compose ps -a --format json"),
    ),
)  # fmt: skip
