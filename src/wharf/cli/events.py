"""``wharf events``."""

from __future__ import annotations

import sys
import time

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.moments import moment, rfc3339
from wharf.cli.output import parse_filters, print_formatted
from wharf.client.documents import as_document, number, section, text
from wharf.client.system import System

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def event_line(event: Document) -> str:
    """Return one event as a line: time, type, action, id and attributes."""
    attributes = section(event, "Actor", "Attributes")
    shown = ", ".join(f"{name}={value}" for name, value in sorted(attributes.items()))
    when = number(event, "timeNano") or number(event, "time") * 10**9
    line = f"{rfc3339(when)} {text(event, 'Type')} {text(event, 'Action')} {text(event, 'Actor', 'ID')}"
    return f"{line} ({shown})" if shown else line


def _events(session: Session, values: Values, _: list[str]) -> int:
    now = time.time()
    stream = System(session.client).events(
        since=moment(values.text("since"), now),
        until=moment(values.text("until"), now),
        filters=parse_filters(values.items("filter")),
    )
    for item in stream:
        event = as_document(item)
        if values.text("format"):
            print_formatted(session, values.text("format"), event)
        else:
            session.print(event_line(event))
        sys.stdout.flush()
    return 0


COMMANDS = (
    Command(
        "events",
        _events,
        "Show what happens in the engine, live",
        flags=(
            Flag("filter", "list", "Only some, such as type=container or event=die", short="f"),
            Flag("format", "string", "'json' or a template"),
            Flag("since", "string", "From a time, or so long ago, such as 10m"),
            Flag("until", "string", "Up to a time, or so long ago"),
        ),
        examples=("wharf events", "wharf events --since 1h --until 0s --filter event=die"),
    ),
)
