"""``wharf attach`` and ``wharf start``."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.foreground import Foreground, check_tty
from wharf.client.containers import Containers
from wharf.client.documents import section, text
from wharf.errors import Conflict, InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _foreground(containers: Containers, record: Document, values: Values, *, stdin: bool) -> Foreground:
    container_id = text(record, "Id")
    tty = bool(section(record, "Config").get("Tty"))
    forward = values.on("sig-proxy") and not tty
    return Foreground(
        stdin=stdin,
        tty=tty,
        detach_keys=values.text("detach-keys"),
        forward=(lambda name: containers.kill(container_id, name)) if forward else None,
        resize=lambda rows, columns: containers.resize(container_id, height=rows, width=columns),
    )


def attach(session: Session, values: Values, arguments: list[str]) -> int:
    """Attach to a running container; its exit code is ours."""
    from wharf.cli.run import exit_code  # noqa: PLC0415  # it brings all flags of run

    containers = Containers(session.client)
    record = containers.inspect(arguments[0])
    state, config = section(record, "State"), section(record, "Config")
    for name, advice in (("Running", "start it first"), ("Paused", "unpause it first")):
        if bool(state.get(name)) != (name == "Running"):
            condition = "stopped" if name == "Running" else "paused"
            raise Conflict(f"cannot attach to a {condition} container, {advice}")
    if state.get("Restarting"):
        raise Conflict("cannot attach to a restarting container, wait until it is running")
    stdin = bool(config.get("OpenStdin")) and not values.on("no-stdin")
    check_tty(stdin=stdin, tty=bool(config.get("Tty")))
    container_id = text(record, "Id")
    exit_answer = containers.wait(container_id)
    wire = containers.attach(
        container_id, stdin=stdin, stdout=True, stderr=True, detach_keys=values.text("detach-keys")
    )
    if _foreground(containers, record, values, stdin=stdin).converse(wire):
        return 0
    return exit_code(exit_answer)


def start(session: Session, values: Values, arguments: list[str]) -> int:
    """Start containers; with --attach one, in the foreground."""
    containers = Containers(session.client)
    saved = {"saved": values.text("checkpoint"), "saved_dir": values.text("checkpoint-dir")}
    if saved["saved"] and len(arguments) > 1:
        raise InvalidArgument("you cannot start multiple containers at once with a checkpoint")
    if not (values.on("attach") or values.on("interactive")):
        failed: list[str] = []

        def begin(name: str) -> None:
            failed.append(name)
            containers.start(name, **saved)
            failed.remove(name)

        code = session.each(arguments, begin)
        if code:
            session.warn(f"Error: failed to start containers: {', '.join(failed)}")
        return code
    if len(arguments) > 1:
        raise InvalidArgument("you cannot start and attach multiple containers at once")
    return _start_attached(containers, values, arguments[0])


def _start_attached(containers: Containers, values: Values, name: str) -> int:
    from wharf.cli.run import exit_code  # noqa: PLC0415  # it brings all flags of run

    record = containers.inspect(name)
    container_id, config = text(record, "Id"), section(record, "Config")
    stdin = values.on("interactive") and bool(config.get("OpenStdin"))
    check_tty(stdin=stdin, tty=bool(config.get("Tty")))
    wire = containers.attach(
        container_id, stdin=stdin, stdout=True, stderr=True, detach_keys=values.text("detach-keys")
    )
    removed = bool(section(record, "HostConfig").get("AutoRemove"))
    exit_answer = containers.wait(container_id, condition="removed" if removed else "next-exit")
    foreground = _foreground(containers, record, values, stdin=stdin)
    saved, saved_dir = values.text("checkpoint"), values.text("checkpoint-dir")
    detached = foreground.converse(wire, lambda: containers.start(container_id, saved=saved, saved_dir=saved_dir))
    return 0 if detached else exit_code(exit_answer)


_SHARED = (
    Flag("detach-keys", "string", "The keys that leave it running, such as ctrl-p,ctrl-q"),
    Flag("sig-proxy", "bool", "Pass signals on to it", default=True),
)

COMMANDS = (
    Command(
        "attach",
        attach,
        "Attach this terminal to a running container",
        arguments="CONTAINER",
        flags=(*_SHARED, Flag("no-stdin", "bool", "Leave its stdin alone")),
        count=(1, 1),
        examples=("wharf attach web", "wharf attach --detach-keys ctrl-x web"),
    ),
    Command(
        "start",
        start,
        "Start stopped containers",
        arguments="CONTAINER [CONTAINER...]",
        flags=(
            *_SHARED,
            Flag("attach", "bool", "Attach to its output, and pass signals on", short="a"),
            Flag("interactive", "bool", "Attach to its input", short="i"),
            Flag("checkpoint", "string", "Bring back what was saved under this name"),
            Flag("checkpoint-dir", "string", "Where it was saved, if not beside the container"),
        ),
        count=(1, None),
        examples=("wharf start db web", "wharf start -ai shell"),
    ),
)
