"""``wharf logs``."""

from __future__ import annotations

import time

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.moments import moment
from wharf.cli.streams import write_all, write_piece
from wharf.client.containers import Containers
from wharf.client.documents import section, text
from wharf.client.frames import STDOUT, Demultiplexer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _logs(session: Session, values: Values, arguments: list[str]) -> int:
    containers = Containers(session.client)
    record = containers.inspect(arguments[0])
    now = time.time()
    chunks = containers.logs(
        text(record, "Id"),
        follow=values.on("follow"),
        timestamps=values.on("timestamps"),
        since=moment(values.text("since"), now),
        until=moment(values.text("until"), now),
        tail=values.text("tail"),
        details="1" if values.on("details") else "",
    )
    if section(record, "Config").get("Tty"):
        for data in chunks:
            write_all(STDOUT, data)
        return 0
    frames = Demultiplexer()
    for data in chunks:
        for stream, piece in frames.feed(data):
            write_piece(stream, piece)
    return 0


COMMANDS = (
    Command(
        "logs",
        _logs,
        "Show a container's log",
        arguments="CONTAINER",
        flags=(
            Flag("details", "bool", "The log's extra attributes too"),
            Flag("follow", "bool", "Go on with what is written", short="f"),
            Flag("since", "string", "From a time, or so long ago, such as 10m"),
            Flag("tail", "string", "Only so many last lines", short="n", default="all"),
            Flag("timestamps", "bool", "Begin lines with their times", short="t"),
            Flag("until", "string", "Up to a time, or so long ago"),
        ),
        count=(1, 1),
        examples=("wharf logs web", "wharf logs -f --tail 20 web", "wharf logs --since 10m web"),
    ),
)
