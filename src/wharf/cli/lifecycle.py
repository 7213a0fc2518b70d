"""Containers' life: stop, restart, kill, pause, unpause, rename, rm, wait, prune."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.confirm import confirmed
from wharf.cli.failures import describe
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters
from wharf.client.containers import Containers
from wharf.client.documents import as_document, number, texts
from wharf.errors import InvalidArgument, NotFound, WharfError
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _timeout(values: Values) -> int | None:
    for name in ("timeout", "time"):
        if values.given(name):
            return values.number(name)
    return None


def _stop(session: Session, values: Values, names: list[str]) -> int:
    containers, signal, timeout_s = Containers(session.client), values.text("signal"), _timeout(values)
    return session.each(names, lambda name: containers.stop(name, signal=signal, timeout_s=timeout_s))


def _restart(session: Session, values: Values, names: list[str]) -> int:
    containers, signal, timeout_s = Containers(session.client), values.text("signal"), _timeout(values)
    return session.each(names, lambda name: containers.restart(name, signal=signal, timeout_s=timeout_s))


def _kill(session: Session, values: Values, names: list[str]) -> int:
    containers, signal = Containers(session.client), values.text("signal")
    return session.each(names, lambda name: containers.kill(name, signal))


def _pause(session: Session, _: Values, names: list[str]) -> int:
    return session.each(names, Containers(session.client).pause)


def _unpause(session: Session, _: Values, names: list[str]) -> int:
    return session.each(names, Containers(session.client).unpause)


def _rename(session: Session, _: Values, names: list[str]) -> int:
    if not names[1].strip():
        raise InvalidArgument("neither old nor new names may be empty")
    try:
        Containers(session.client).rename(names[0], names[1])
    except WharfError as error:
        session.warn(f"{describe(error)}\nError: failed to rename container named {names[0]}")
        return 1
    return 0


def _rm(session: Session, values: Values, names: list[str]) -> int:
    containers = Containers(session.client)
    options = {"force": values.on("force"), "volumes": values.on("volumes"), "link": values.on("link")}

    def remove(name: str) -> None:
        name = name.strip("/")
        if not name:
            raise InvalidArgument("container name cannot be empty")
        containers.remove(name, **options)

    # With --force one that is not there is told, but no failure.
    return session.each(names, remove, forgive=(NotFound,) if values.on("force") else ())


def _wait(session: Session, _: Values, names: list[str]) -> int:
    containers = Containers(session.client)

    def wait(name: str) -> None:
        session.print(str(number(as_document(containers.wait(name).json()), "StatusCode")))

    return session.each(names, wait, echo=False)


def _prune(session: Session, values: Values, _: list[str]) -> int:
    if not confirmed(values, "This will remove all stopped containers."):
        return 0
    answer = Containers(session.client).prune(parse_filters(values.items("filter")))
    deleted = texts(answer, "ContainersDeleted")
    if deleted:
        session.print("Deleted Containers:\n" + "\n".join(deleted) + "\n")
    session.print(f"Total reclaimed space: {human_size(number(answer, 'SpaceReclaimed'))}")
    return 0


_STOPPING = (
    Flag("signal", "string", "The signal, instead of the container's own", short="s"),
    Flag("timeout", "int", "Seconds to wait before KILL; -1 for ever", short="t"),
    Flag("time", "int", "Same as --timeout"),
)

COMMANDS = (
    Command(
        "stop", _stop, "Stop running containers", arguments="CONTAINER [CONTAINER...]", count=(1, None),
        flags=_STOPPING, examples=("wharf stop web", "wharf stop -t 30 db"),
    ),
    Command(
        "restart", _restart, "Stop containers and start them again", arguments="CONTAINER [CONTAINER...]",
        count=(1, None), flags=_STOPPING, examples=("wharf restart web",),
    ),
    Command(
        "kill", _kill, "Send a signal to running containers", arguments="CONTAINER [CONTAINER...]",
        count=(1, None), flags=(Flag("signal", "string", "The signal, KILL unless given", short="s"),),
        examples=("wharf kill web", "wharf kill -s HUP web"),
    ),
    Command(
        "pause", _pause, "Freeze all processes of containers", arguments="CONTAINER [CONTAINER...]",
        count=(1, None), examples=("wharf pause web",),
    ),
    Command(
        "unpause", _unpause, "Let paused containers go on", arguments="CONTAINER [CONTAINER...]",
        count=(1, None), examples=("wharf unpause web",),
    ),
    Command(
        "rename", _rename, "Give a container another name", arguments="CONTAINER NEW_NAME", count=(2, 2),
        examples=("wharf rename web web-old",),
    ),
    Command(
        "rm", _rm, "Remove containers", arguments="CONTAINER [CONTAINER...]", count=(1, None),
        flags=(
            Flag("force", "bool", "Also running ones: they are killed", short="f"),
            Flag("link", "bool", "Remove only the link", short="l"),
            Flag("volumes", "bool", "Their anonymous volumes too", short="v"),
        ),
        examples=("wharf rm web", "wharf rm -f $(wharf ps -aq)"),
    ),
    Command(
        "wait", _wait, "Wait until containers stop, then print their exit codes",
        arguments="CONTAINER [CONTAINER...]", count=(1, None), examples=("wharf wait job",),
    ),
    Command(
        "container prune", _prune, "Remove all stopped containers",
        flags=(
            Flag("filter", "list", "Only some, such as until=24h"),
            Flag("force", "bool", "Do not ask", short="f"),
        ),
        examples=("wharf container prune -f",),
    ),
)  # fmt: skip
