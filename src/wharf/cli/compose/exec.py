"""`wharf compose exec`: one more command in a running container of a service."""

from __future__ import annotations

import os

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.containers import container_of
from wharf.cli.compose.project import load_or_name
from wharf.cli.exec import COMMANDS as PLAIN
from wharf.cli.exec import execute
from wharf.cli.flags import Flag, parse
from wharf.client.documents import text
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _exec(session: Session, values: Values, arguments: list[str]) -> int:
    found = container_of(session, load_or_name(session), arguments[0], values.number("index"))
    words = exec_words(values, terminal=os.isatty(0) and os.isatty(1))
    if is_dry(session, values):
        session.print(f"wharf exec {' '.join([*words, text(found, 'Id'), *arguments[1:]])}")
        return 0
    parsed, _ = parse(PLAIN[0].flags, words)
    return execute(session, parsed, [text(found, "Id"), *arguments[1:]])


def exec_words(values: Values, *, terminal: bool) -> list[str]:
    """Return the flags of ``wharf exec`` that mean the same; ``terminal``: whether ours is one."""
    words = [f"--env={item}" for item in values.items("env")]
    words += [f"--{name}={values.text(name)}" for name in ("user", "workdir") if values.text(name)]
    words += ["--privileged"] if values.on("privileged") else []
    if values.on("detach"):
        return [*words, "--detach"]
    tty = terminal_of(values, terminal=terminal)
    return [*words, *(["--tty"] if tty else []), *(["--interactive"] if values.on("interactive") else [])]


def terminal_of(values: Values, *, terminal: bool) -> bool:
    """Return whether the command gets a terminal: as flags say, or as we have one ourselves.

    Raises:
        InvalidArgument: flags contradict each other.
    """
    if values.given("no-tty") or values.given("no-TTY"):
        if values.given("tty"):
            raise InvalidArgument("--tty and --no-TTY can't be used together")
        return not (values.on("no-tty") or values.on("no-TTY"))
    # Who is used to -it gives it in scripts too, where there is no terminal.
    return terminal and (values.on("tty") or not values.given("tty"))


COMMANDS = (
    Command(
        "compose exec", _exec, "Run one more command in a running container", arguments="SERVICE COMMAND [ARG...]",
        count=(2, None), interspersed=False,
        flags=(
            Flag("detach", "bool", "Leave it in the background", short="d"),
            Flag("env", "list", "An environment variable, name=value", short="e"),
            Flag("index", "int", "Which of the service's containers, from 1; the first unless given"),
            Flag("interactive", "bool", "Keep its stdin open", short="i", default=True),
            Flag("no-tty", "bool", "Give it no terminal", short="T"),
            Flag("no-TTY", "bool"), Flag("tty", "bool", short="t", default=True),
            Flag("privileged", "bool", "All capabilities"),
            Flag("user", "string", "Who runs it", short="u"),
            Flag("workdir", "string", "Working folder", short="w"), DRY_RUN,
        ),
        examples=("wharf compose exec web sh", "wharf compose exec -T db pg_dump app > dump.sql"),
    ),
)  # fmt: skip
