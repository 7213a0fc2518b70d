"""``wharf exec``."""

from __future__ import annotations

import os

from wharf.cli.command import Command
from wharf.cli.create.files import key_values, read_text
from wharf.cli.create.pairs import check_env
from wharf.cli.flags import Flag
from wharf.client.documents import number
from wharf.client.execs import Execs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _document(values: Values, command: list[str]) -> Document:
    environment: list[str] = []
    for path in values.items("env-file"):
        environment += key_values(read_text(path), path, os.environ)
    for text in values.items("env"):
        known = "=" not in text and text in os.environ
        environment.append(f"{text}={os.environ[text]}" if known else text)
    detached = values.on("detach")
    document: Document = {
        "User": values.text("user"),
        "Privileged": values.on("privileged"),
        "Tty": values.on("tty"),
        "AttachStdin": values.on("interactive") and not detached,
        "AttachStdout": not detached,
        "AttachStderr": not detached,
        "DetachKeys": values.text("detach-keys"),
        "Env": environment or None,
        "WorkingDir": values.text("workdir"),
        "Cmd": command,
    }
    return document


def execute(session: Session, values: Values, arguments: list[str]) -> int:
    """Run a command in a container; in the foreground its exit code is ours."""
    from wharf.cli.foreground import Foreground, check_tty  # noqa: PLC0415  # not for --help
    from wharf.cli.terminal import size_of  # noqa: PLC0415

    tty, stdin = values.on("tty"), values.on("interactive")
    if not values.on("detach"):
        check_tty(stdin=stdin, tty=tty)
    execs = Execs(session.client)
    size = list(size_of(1)) if tty else []
    document = _document(values, arguments[1:])
    if any(size):
        document["ConsoleSize"] = size
    exec_id = execs.create(arguments[0], document)
    if values.on("detach"):
        execs.start_detached(exec_id, tty=tty)
        return 0
    foreground = Foreground(
        stdin=stdin,
        tty=tty,
        detach_keys=values.text("detach-keys"),
        resize=lambda rows, columns: execs.resize(exec_id, height=rows, width=columns),
    )
    wire = execs.start(exec_id, tty=tty, size=size if any(size) else None)
    if foreground.converse(wire):
        return 0
    return number(execs.inspect(exec_id), "ExitCode")


COMMANDS = (
    Command(
        "exec",
        execute,
        "Run one more command in a running container",
        arguments="CONTAINER COMMAND [ARG...]",
        flags=(
            Flag("detach", "bool", "Leave it in the background", short="d"),
            Flag("detach-keys", "string", "The keys that leave it running, such as ctrl-p,ctrl-q"),
            Flag(
                "env", "list", "An environment variable, name=value, or a name to pass on", short="e", check=check_env
            ),
            Flag("env-file", "list", "Read environment variables from a file"),
            Flag("interactive", "bool", "Keep its stdin open", short="i"),
            Flag("privileged", "bool", "All capabilities"),
            Flag("tty", "bool", "Give it a terminal", short="t"),
            Flag("user", "string", "Who runs it: user[:group], names or numbers", short="u"),
            Flag("workdir", "string", "Working folder", short="w"),
        ),
        count=(2, None),
        examples=("wharf exec web ls /", "wharf exec -it web sh", "wharf exec -u postgres db psql -c 'select 1'"),
        interspersed=False,
    ),
)
