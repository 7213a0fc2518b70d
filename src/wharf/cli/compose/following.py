"""Commands that follow a project while it runs: its events, and the end of its containers."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.containers import containers_of
from wharf.cli.compose.engine import engine_of
from wharf.cli.compose.project import load_or_name
from wharf.cli.flags import Flag
from wharf.cli.moments import moment
from wharf.client.documents import as_document, number, section, text
from wharf.client.system import System
from wharf.compose import identity
from wharf.errors import NotFound, WharfError
from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document
    from wharf.compose.execute.engine import Engine


def _events(session: Session, values: Values, services: list[str]) -> int:
    project = load_or_name(session)
    now = time.time()
    stream = System(session.client).events(
        since=moment(values.text("since"), now),
        until=moment(values.text("until"), now),
        filters={"type": ["container"], "label": [f"{identity.PROJECT}={project.name}"]},
    )
    for item in stream:
        event = as_document(item)
        service = text(section(event, "Actor", "Attributes"), identity.SERVICE)
        if not services or service in services:
            session.print(event_json(event) if values.on("json") else event_line(event))
            sys.stdout.flush()
    return 0


def _own(event: Document) -> dict[str, str]:
    """Return an event's attributes without the labels of Compose, as docker compose shows them."""
    attributes = section(event, "Actor", "Attributes")
    return {name: text(attributes, name) for name in sorted(attributes) if not name.startswith(identity.PREFIX)}


def event_line(event: Document) -> str:
    """Return one event (Engine API, EventMessage) as a line."""
    nanoseconds = number(event, "timeNano")
    when = datetime.fromtimestamp(nanoseconds // 10**9).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    shown = ", ".join(f"{name}={value}" for name, value in _own(event).items())
    micros = nanoseconds % 10**9 // 1000
    return f"{when}.{micros:06} container {text(event, 'Action')} {text(event, 'Actor', 'ID')} ({shown})"


def event_json(event: Document) -> str:
    """Return one event as a line of JSON."""
    nanoseconds = number(event, "timeNano")
    seconds = datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return dumps(
        {
            "action": text(event, "Action"),
            "attributes": _own(event),
            "id": text(event, "Actor", "ID"),
            "service": text(section(event, "Actor", "Attributes"), identity.SERVICE),
            "time": f"{seconds}.{nanoseconds % 10**9:09}Z",
            "type": text(event, "Type"),
        }
    )


def _wait(session: Session, values: Values, services: list[str]) -> int:
    project = load_or_name(session)
    found = containers_of(session, project, services, everything=True, oneoff=None)
    if not found:
        raise NotFound(f'no containers for project "{project.name}"')
    if is_dry(session, values):
        session.print("\n".join(f"container:{text(one, 'Id')[:12]}, Await, wait" for one in found))
        return 0
    with engine_of(session) as engine:
        code = _Ends(session, engine, [text(one, "Id") for one in found]).wait(first=values.on("down-project"))
    if values.on("down-project"):
        from wharf.cli.compose.down import take_down  # noqa: PLC0415  # for one flag alone

        take_down(session)
    return code


class _Ends:
    """Waits for containers, each on a thread and a connection of its own."""

    def __init__(self, session: Session, engine: Engine, ids: list[str]) -> None:
        self._session = session
        self._engine = engine
        self._ids = ids
        self._changed = threading.Condition()
        self._codes: list[int] = []
        self._errors: list[WharfError] = []

    def wait(self, *, first: bool) -> int:
        """Return the exit code of the container that ended last, or ``first``.

        Raises:
            WharfError: the engine does not answer.
        """
        for container_id in self._ids:
            threading.Thread(target=self._one, args=(container_id,), daemon=True).start()
        wanted = 1 if first else len(self._ids)
        with self._changed:
            self._changed.wait_for(lambda: self._errors or len(self._codes) >= wanted)
            if self._errors:
                raise self._errors[0]
            return self._codes[wanted - 1]

    def _one(self, container_id: str) -> None:
        try:
            code = number(as_document(self._engine.containers.wait(container_id).json()), "StatusCode")
        except WharfError as error:
            with self._changed:
                self._errors.append(error)
                self._changed.notify()
            return
        with self._changed:
            self._session.print(f'container "{container_id}" exited with status code {code}')
            self._codes.append(code)
            self._changed.notify()


COMMANDS = (
    Command(
        "compose events", _events, "Show what happens to a project's containers, live", arguments="[SERVICE...]",
        count=(0, None),
        flags=(
            Flag("json", "bool", "A line of JSON each"),
            Flag("since", "string", "From a time, or so long ago, such as 10m"),
            Flag("until", "string", "Up to a time, or so long ago"),
        ),
        examples=("wharf compose events --json web",),
    ),
    Command(
        "compose wait", _wait, "Wait until containers of services stop; the last one's exit code is the command's",
        arguments="SERVICE [SERVICE...]", count=(1, None),
        flags=(Flag("down-project", "bool", "Take the project down when the first one stops"), DRY_RUN),
        examples=("wharf compose wait migrate",),
    ),
)  # fmt: skip
