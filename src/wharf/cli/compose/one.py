"""Commands about one container of a service: what the same command does with a container's name."""

from __future__ import annotations

from wharf.cli.attach import attach
from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.containers import container_of, containers_of, name_of
from wharf.cli.compose.project import load_or_name
from wharf.cli.cp import commit, copy, export
from wharf.cli.flags import Flag
from wharf.client.containers import Containers
from wharf.client.documents import as_documents, section, text
from wharf.errors import InvalidArgument, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wharf.cli.command import Session
    from wharf.cli.flags import Values

    Action = Callable[[Session, Values, list[str]], int]

_PROTOCOLS = ("tcp", "udp", "sctp")
_INDEX = Flag("index", "int", "Which of the service's containers, from 1; the first unless given")


def _name(session: Session, values: Values, service: str, *, everything: bool = False) -> str:
    project = load_or_name(session)
    return name_of(container_of(session, project, service, values.number("index"), everything=everything))


def _do(session: Session, values: Values, action: Action, words: Sequence[str]) -> int:
    """Do what the command of that name does to a container, or say that it would be done."""
    if is_dry(session, values):
        session.print(" ".join(["wharf", "cp" if action is copy else action.__name__, *words]))
        return 0
    return action(session, values, list(words))


def _attach(session: Session, values: Values, arguments: list[str]) -> int:
    return _do(session, values, attach, [_name(session, values, arguments[0])])


def _export(session: Session, values: Values, arguments: list[str]) -> int:
    return _do(session, values, export, [_name(session, values, arguments[0], everything=True)])


def _commit(session: Session, values: Values, arguments: list[str]) -> int:
    name = _name(session, values, arguments[0], everything=True)
    return _do(session, values, commit, [name, *arguments[1:]])


def _port(session: Session, values: Values, arguments: list[str]) -> int:
    service, port = arguments
    protocol = values.text("protocol").lower()
    if protocol not in _PROTOCOLS:
        raise InvalidArgument(f"invalid protocol: {protocol}")
    if not port.isdigit():
        raise InvalidArgument(f"invalid port: {port}")
    name = _name(session, values, service)
    ports = section(Containers(session.client).inspect(name), "NetworkSettings", "Ports")
    bindings = as_documents(ports.get(f"{port}/{protocol}"))
    if not bindings:
        raise NotFound(f"no port {port}/{protocol} for container {name}")
    address = text(bindings[0], "HostIp")
    session.print(f"{f'[{address}]' if ':' in address else address}:{text(bindings[0], 'HostPort')}")
    return 0


def _cp(session: Session, values: Values, arguments: list[str]) -> int:
    """Copy from one container, or to each of a service's, or to the one that was named by its index."""
    ends = [_end(argument) for argument in arguments]
    if all(service for service, _ in ends):
        raise InvalidArgument("copying between services is not supported")
    service = ends[0][0] or ends[1][0]
    if not service:
        raise InvalidArgument("unknown copy direction: one end is SERVICE:PATH")
    project = load_or_name(session)
    oneoff = None if values.on("all") else False
    found = containers_of(session, project, [service], everything=True, oneoff=oneoff)
    if ends[0][0] or values.number("index") or not found:
        found = [container_of(session, project, service, values.number("index"), everything=True)]
    for container in found:
        place = [f"{name_of(container)}:{path}" if of else path for of, path in ends]
        _do(session, values, copy, place)
    return 0


def _end(argument: str) -> tuple[str, str]:
    """Return the service, "" for this machine, and the path; one with a colon in it begins with a dot or a slash."""
    service, colon, path = argument.partition(":")
    return (service, path) if colon and not service.startswith((".", "/")) else ("", argument)


COMMANDS = (
    Command(
        "compose attach", _attach, "Attach this terminal to a service's container", arguments="SERVICE", count=(1, 1),
        flags=(
            Flag("detach-keys", "string", "The keys that leave it running, such as ctrl-p,ctrl-q"),
            _INDEX,
            Flag("no-stdin", "bool", "Leave its stdin alone"),
            Flag("sig-proxy", "bool", "Pass signals on to it", default=True), DRY_RUN,
        ),
        examples=("wharf compose attach web",),
    ),
    Command(
        "compose commit", _commit, "Make an image of what a service's container has changed",
        arguments="SERVICE [REPOSITORY[:TAG]]", count=(1, 2),
        flags=(
            Flag("author", "string", "Who made it", short="a"),
            Flag("change", "list", "A Dockerfile instruction for its configuration", short="c"),
            _INDEX,
            Flag("message", "string", "Its comment", short="m"),
            Flag("pause", "bool", "Freeze the container meanwhile", short="p", default=True), DRY_RUN,
        ),
        examples=("wharf compose commit db db:seeded",),
    ),
    Command(
        "compose cp", _cp, "Copy files between a service's containers and this machine",
        arguments="SERVICE:SRC_PATH DEST_PATH|-  or  SRC_PATH|- SERVICE:DEST_PATH", count=(2, 2),
        flags=(
            Flag("all", "bool", "Also to the containers of `run`"),
            Flag("archive", "bool", "Keep owners", short="a"),
            Flag("follow-link", "bool", "Copy what a symlink in SRC_PATH leads to", short="L"),
            _INDEX, DRY_RUN,
        ),
        examples=("wharf compose cp web:/etc/nginx/nginx.conf .", "wharf compose cp page.html web:/srv"),
    ),
    Command(
        "compose export", _export, "Write the file system of a service's container as a tar archive",
        arguments="SERVICE", count=(1, 1),
        flags=(_INDEX, Flag("output", "string", "The archive; stdout unless given", short="o"), DRY_RUN),
        examples=("wharf compose export -o root.tar web",),
    ),
    Command(
        "compose port", _port, "Show where a port of a service is published", arguments="SERVICE PRIVATE_PORT",
        count=(2, 2),
        flags=(_INDEX, Flag("protocol", "string", "tcp, udp or sctp", default="tcp")),
        examples=("wharf compose port web 80",),
    ),
)  # fmt: skip
