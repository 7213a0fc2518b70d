"""`wharf compose alpha`: what docker compose has there; the commands that have come of age are those above it."""

from __future__ import annotations

import json
import os
import sys

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN
from wharf.cli.compose.project import flags_of, load_project
from wharf.cli.flags import Flag, one_of, parse
from wharf.cli.registry import load, split
from wharf.cli.usage import command_help
from wharf.client.containers import Containers
from wharf.client.documents import text
from wharf.client.networks import Networks
from wharf.compose.generate import generated
from wharf.compose.viz import digraph
from wharf.compose.yaml_text import to_yaml
from wharf.errors import InvalidArgument, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _viz(session: Session, values: Values, _: list[str]) -> int:
    session.warn("viz command is EXPERIMENTAL")
    size = values.number("indentation-size")
    if size < 0:
        raise InvalidArgument(f"invalid indentation size: {size}")
    graph = digraph(
        load_project(session), indent=(" " if values.on("spaces") else "\t") * size,
        networks=values.on("networks"), ports=values.on("ports"), images=values.on("image"),
    )  # fmt: skip
    session.print(graph)
    return 0


def _generate(session: Session, values: Values, names: list[str]) -> int:
    session.warn("generate command is EXPERIMENTAL")
    if not names:
        raise InvalidArgument("at least one container must be specified")
    found = _found(Containers(session.client), names)
    networks = Networks(session.client)
    internal = {text(one, "Name") for one in networks.list() if one.get("Internal") is True}
    folder = os.path.abspath(values.text("project-dir")) if values.text("project-dir") else ""
    project = generated(values.text("name"), found, internal, folder=folder)
    as_json = values.text("format") == "json"
    document = project.printed(as_json=as_json)
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n" if as_json else to_yaml(document))
    return 0


def _found(containers: Containers, names: Sequence[str]) -> list[Document]:
    """Return the containers whose names or ids are like ``names``, as the API's filters take them.

    Raises:
        NotFound: there is none.
    """
    ids = [
        text(one, "Id")
        for key in ("name", "id")
        for one in containers.list(all_states=True, filters={key: list(names)})
    ]
    if not ids:
        raise NotFound(f"no container(s) found with the following name(s): {','.join(names)}")
    return [containers.inspect(each) for each in dict.fromkeys(ids)]


def _dry_run(session: Session, _: Values, words: list[str]) -> int:
    flags = flags_of(session)
    flags.set(DRY_RUN, "true")
    session.group_flags = flags
    path, rest = split(["compose", *words])
    command = load(path)
    if command is None:
        raise InvalidArgument(f"unknown command: wharf {path}")
    values, arguments = parse(command.flags, rest, interspersed=command.interspersed)
    if values.on("help"):
        session.print(command_help(command, path))
        return 0
    command.check_count(arguments, path)
    return command.action(session, values, arguments)


COMMANDS = (
    Command(
        "compose alpha dry-run", _dry_run, "Show what a command of `compose` would do",
        arguments="-- COMMAND [ARG...]", count=(1, None), interspersed=False,
        examples=("wharf compose alpha dry-run -- up --build", "wharf compose --dry-run up --build"),
    ),
    Command(
        "compose alpha generate", _generate, "Write the Compose file of containers that are there",
        arguments="CONTAINER [CONTAINER...]", count=(0, None),
        flags=(
            Flag("format", "string", "yaml or json", default="yaml", check=one_of(("yaml", "json"))),
            Flag("name", "string", "The project's name in the file"),
            Flag("project-dir", "string", "The project's folder: files in it are named relative to it"),
        ),
        examples=("wharf compose alpha generate --name shop web db > compose.yaml",),
    ),
    Command(
        "compose alpha viz", _viz, "Draw a project's services, as a graph for graphviz",
        flags=(
            Flag("image", "bool", "Name services' images"),
            Flag("indentation-size", "int", "By how many tabs or spaces lines are indented", default=1),
            Flag("networks", "bool", "Name services' networks"),
            Flag("ports", "bool", "Name services' ports"),
            Flag("spaces", "bool", "Indent by spaces instead of tabs"),
        ),
        examples=("wharf compose alpha viz --networks | dot -Tsvg > services.svg",),
    ),
)  # fmt: skip
