"""``wharf port``, ``wharf top`` and ``wharf update``."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.create.document import restart_policy
from wharf.cli.create.flags import RESOURCE_FLAGS
from wharf.cli.create.limits import resources
from wharf.cli.create.networks import RATE
from wharf.cli.flags import Flag
from wharf.client.containers import Containers
from wharf.client.documents import as_documents, section, text, texts
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.tables import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _bindings(bindings: object) -> list[str]:
    lines: list[str] = []
    for binding in as_documents(bindings):
        address = text(binding, "HostIp")
        lines.append(
            f"[{address}]:{text(binding, 'HostPort')}" if ":" in address else f"{address}:{text(binding, 'HostPort')}"
        )
    return lines


def _port(session: Session, _: Values, arguments: list[str]) -> int:
    ports = section(Containers(session.client).inspect(arguments[0]), "NetworkSettings", "Ports")
    if len(arguments) == 1:
        for port, bindings in sorted(ports.items()):
            for line in _bindings(bindings):
                session.print(f"{port} -> {line}")
        return 0
    asked = arguments[1] if "/" in arguments[1] else f"{arguments[1]}/tcp"
    lines = _bindings(ports.get(asked))
    if not lines:
        raise NotFound(f"Error: No public port '{arguments[1]}' published for {arguments[0]}")
    for line in lines:
        session.print(line)
    return 0


def _top(session: Session, _: Values, arguments: list[str]) -> int:
    answer = Containers(session.client).top(arguments[0], " ".join(arguments[1:]))
    processes = answer.get("Processes")
    rows = [[str(cell) for cell in row] for row in processes] if isinstance(processes, list) else []
    session.print(render([texts(answer, "Titles"), *rows], least=20).rstrip("\n"))
    return 0


def _update(session: Session, values: Values, names: list[str]) -> int:
    if not any(values.given(flag.name) for flag in _UPDATE_FLAGS):
        raise InvalidArgument("you must provide one or more flags when using this command")
    containers = Containers(session.client)
    document: Document = {name: value for name, value in resources(values).items() if value}
    if values.given("restart"):
        document["RestartPolicy"] = restart_policy(values)

    def update(name: str) -> None:
        rates = _rates(containers.inspect(name), values.text("network-rate")) if values.given("network-rate") else {}
        for warning in texts(containers.update(name, {**document, **rates}), "Warnings"):
            session.warn(warning)

    return session.each(names, update)


def _rates(found: Document, rate: str) -> Document:
    """Return what an update says to let a container have that rate in all networks that it is in."""
    networks = section(found, "NetworkSettings", "Networks")
    return {"NetworkingConfig": {"EndpointsConfig": {n: {"DriverOpts": {RATE: rate}} for n in networks}}}


_UPDATE_FLAGS = (
    *RESOURCE_FLAGS,
    Flag("restart", "string", "When to restart it"),
    Flag("network-rate", "string", "How fast it may receive and send in its networks, down/up; 0 for no limit"),
)

COMMANDS = (
    Command(
        "port", _port, "List a container's published ports", arguments="CONTAINER [PRIVATE_PORT[/PROTO]]",
        count=(1, 2), examples=("wharf port web", "wharf port web 80/tcp"),
    ),
    Command(
        "top", _top, "Show a container's processes", arguments="CONTAINER [ps OPTIONS]", count=(1, None),
        interspersed=False, examples=("wharf top web", "wharf top web -o pid,args"),
    ),
    Command(
        "update", _update, "Change the limits of containers", arguments="CONTAINER [CONTAINER...]",
        flags=_UPDATE_FLAGS, count=(1, None),
        examples=(
            "wharf update -m 512m --memory-swap 1g web", "wharf update --restart always web",
            "wharf update --network-rate 50mbit/5mbit web",
        ),
    ),
)  # fmt: skip
