"""``wharf context``: names for engines, shared with docker's own command line."""

from __future__ import annotations

import os

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.globals import current_context
from wharf.cli.inspect import print_documents
from wharf.cli.output import print_rows
from wharf.cli.rows import field
from wharf.client.address import Address, default_host
from wharf.client.config import read_config, write_config
from wharf.client.contexts import DEFAULT, Contexts
from wharf.client.documents import section, text
from wharf.errors import Conflict, InvalidArgument, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_FILES = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
_KEYS = frozenset({"from", "host", "skip-tls-verify", *_FILES})


def endpoint(given: str) -> dict[str, str]:
    """Return ``host=...,ca=...`` as a table.

    Raises:
        InvalidArgument: a part is not ``key=value``, or unknown.
    """
    found: dict[str, str] = {}
    for part in given.split(","):
        name, equals, value = part.partition("=")
        if not equals or name not in _KEYS:
            raise InvalidArgument(f'unrecognized config key: "{name}"')
        found[name] = value
    return found


def _store(name: str, values: Values, *, new: bool) -> None:
    contexts = Contexts(os.environ)
    document: Document = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {}}} if new else contexts.read(name)
    if origin := values.text("from"):
        document = {**_record(contexts, origin), "Name": name}
    parts = endpoint(",".join(values.items("docker"))) if values.given("docker") else {}
    if parts.get("from"):
        document = {**document, "Endpoints": _record(contexts, parts["from"])["Endpoints"]}
    if parts.get("host"):
        Address(parts["host"])  # refuses what cannot be one
        skip = parts.get("skip-tls-verify", "").lower() in {"1", "true"}
        document = {
            **document,
            "Endpoints": {"docker": {"Host": parts["host"], "SkipTLSVerify": skip}},
        }
    if values.given("description"):
        metadata = {**section(document, "Metadata"), "Description": values.text("description")}
        document = {**document, "Metadata": metadata}
    if not text(document, "Endpoints", "docker", "Host"):
        raise InvalidArgument("docker endpoint configuration is required: --docker host=unix:///path")
    contexts.write(name, document, new=new)
    if files := {file: _content(parts[key]) for key, file in _FILES.items() if parts.get(key)}:
        contexts.store_tls(name, files)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _record(contexts: Contexts, name: str) -> Document:
    if name == DEFAULT:
        host = os.environ.get("DOCKER_HOST") or default_host(os.environ)
        return {"Name": DEFAULT, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    return contexts.read(name)


def _create(session: Session, values: Values, arguments: list[str]) -> int:
    _store(arguments[0], values, new=True)
    session.print(arguments[0])
    session.warn(f'Successfully created context "{arguments[0]}"')
    return 0


def _update(session: Session, values: Values, arguments: list[str]) -> int:
    _store(arguments[0], values, new=False)
    session.print(arguments[0])
    session.warn(f'Successfully updated context "{arguments[0]}"')
    return 0


def _warn_of_environment(session: Session) -> None:
    """Say that the environment names an engine, where it does: then no context is looked at."""
    if os.environ.get("DOCKER_HOST"):
        session.warn(
            "Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set "
            "the global --context flag, or unset DOCKER_HOST environment variable."
        )


def _ls(session: Session, values: Values, _: list[str]) -> int:
    contexts, current = Contexts(os.environ), current_context(os.environ)
    rows = []
    for name in sorted([DEFAULT, *contexts.names()]):
        document = _record(contexts, name)
        rows.append(
            {
                "Name": name,
                "Description": text(document, "Metadata", "Description")
                or ("Current DOCKER_HOST based configuration" if name == DEFAULT else ""),
                "DockerEndpoint": text(document, "Endpoints", "docker", "Host"),
                "Error": "",
                "Current": field(str(name == current).lower(), name == current),
            }
        )
    if values.on("quiet"):
        for row in rows:
            session.print(row["Name"])
        _warn_of_environment(session)
        return 0
    if values.text("format") in {"", "table"}:
        rows = [{**row, "Name": row["Name"] + (" *" if row["Current"] == "true" else "")} for row in rows]
    columns = ("Name", "Description", "DockerEndpoint", "Error")
    print_rows(session, rows, columns, template=values.text("format"), headers={"DockerEndpoint": "DOCKER ENDPOINT"})
    _warn_of_environment(session)
    return 0


def _show(session: Session, _: Values, __: list[str]) -> int:
    session.print(current_context(os.environ))
    return 0


def _use(session: Session, _: Values, arguments: list[str]) -> int:
    name = arguments[0]
    if name != DEFAULT:
        Contexts(os.environ).read(name)
    config = {key: value for key, value in read_config(os.environ).items() if key != "currentContext"}
    write_config(os.environ, config if name == DEFAULT else {**config, "currentContext": name})
    session.print(name)
    session.warn(f'Current context is now "{name}"')
    if name != DEFAULT:
        _warn_of_environment(session)
    return 0


def _rm(session: Session, values: Values, names: Sequence[str]) -> int:
    contexts, current = Contexts(os.environ), current_context(os.environ)

    def remove(name: str) -> None:
        if name == DEFAULT:
            raise InvalidArgument('default: context "default" cannot be removed')
        if name == current and not values.on("force"):
            raise Conflict(f'context "{name}" is in use, set -f flag to force remove')
        if name == current:
            _use(session, values, [DEFAULT])
        try:
            contexts.remove(name)
        except NotFound as error:
            if not values.on("force"):
                raise NotFound(f'context "{name}" does not exist') from error

    return session.each(names, remove)


def _inspect(session: Session, values: Values, names: list[str]) -> int:
    contexts = Contexts(os.environ)
    documents = []
    for name in names or [current_context(os.environ)]:
        folder = contexts.tls_folder(name)
        files = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        storage = {
            "MetadataPath": "<IN MEMORY>" if name == DEFAULT else contexts.meta_folder(name),
            "TLSPath": folder,
        }
        material = {"docker": files} if files else {}
        documents.append({**_record(contexts, name), "TLSMaterial": material, "Storage": storage})
    print_documents(session, documents, values.text("format"))
    return 0


_ENDPOINT = Flag("docker", "list", "The engine: host=...[,ca=...,cert=...,key=...,skip-tls-verify=true]")
_DESCRIPTION = Flag("description", "string", "What it is for")

COMMANDS = (
    Command(
        "context create", _create, "Name an engine", arguments="CONTEXT", count=(1, 1),
        flags=(_DESCRIPTION, _ENDPOINT, Flag("from", "string", "Copy another one")),
        examples=("wharf context create far --docker host=tcp://192.0.2.1:2376,ca=ca.pem,cert=cert.pem,key=key.pem",),
    ),
    Command(
        "context update", _update, "Change a context", arguments="CONTEXT", count=(1, 1),
        flags=(_DESCRIPTION, _ENDPOINT),
        examples=("wharf context update far --description 'the machine in the cellar'",),
    ),
    Command(
        "context ls", _ls, "List contexts",
        flags=(
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("quiet", "bool", "Only names", short="q"),
        ),
        examples=("wharf context ls",),
    ),
    Command(
        "context show", _show, "Print the name of the context in use", examples=("wharf context show",),
    ),
    Command(
        "context use", _use, "Choose the engine for the commands to come", arguments="CONTEXT", count=(1, 1),
        examples=("wharf context use far", "wharf context use default"),
    ),
    Command(
        "context inspect", _inspect, "Show everything about contexts, as JSON", arguments="[CONTEXT] [CONTEXT...]",
        count=(0, None),
        flags=(Flag("format", "string", "'json' or a template", short="f"),),
        examples=("wharf context inspect far",),
    ),
    Command(
        "context rm", _rm, "Remove contexts", arguments="CONTEXT [CONTEXT...]", count=(1, None),
        flags=(Flag("force", "bool", "Also the one in use", short="f"),),
        examples=("wharf context rm far",),
    ),
)  # fmt: skip
