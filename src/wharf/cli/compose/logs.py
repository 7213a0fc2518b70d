"""`wharf compose logs`: the output of a project's containers, in order of time for each."""

from __future__ import annotations

import time

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN
from wharf.cli.compose.containers import containers_of
from wharf.cli.compose.engine import engine_of
from wharf.cli.compose.lines import Lines, coloured
from wharf.cli.compose.project import flags_of, load_or_name
from wharf.cli.flags import Flag
from wharf.cli.moments import moment
from wharf.compose.execute.logs import Follower, Window, read_lines
from wharf.compose.plan.observed import container_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _logs(session: Session, values: Values, services: list[str]) -> int:
    project = load_or_name(session)
    found = list(map(container_of, containers_of(session, project, services, everything=True)))
    if values.number("index"):
        found = [one for one in found if one.number == values.number("index")]
    colour = coloured(flags_of(session).text("ansi"), no_color=values.on("no-color"))
    lines = Lines(project.name + project.separator, prefix=not values.on("no-log-prefix"), colour=colour)
    lines.expect(found)
    now = time.time()
    window = Window(
        since=moment(values.text("since"), now), until=moment(values.text("until"), now),
        tail="" if values.text("tail") == "all" else values.text("tail"), timestamps=values.on("timestamps"),
    )  # fmt: skip
    with engine_of(session) as engine:
        if not values.on("follow"):
            for one in found:
                for stream, line in read_lines(engine, one, window, follow=False):
                    lines.show(one, stream, line)
            return 0
        follower = Follower(engine, project.name, lines.show, lines.ended)
        follower.begin(lambda one: (not services or one.service in services) and not one.oneoff)
        for one in found:
            if one.running:
                follower.follow(one, window)
                continue
            for stream, line in read_lines(engine, one, window, follow=False):
                lines.show(one, stream, line)
        follower.wait_for_all()
    return 0


COMMANDS = (
    Command(
        "compose logs", _logs, "Show what containers write", arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("follow", "bool", "Go on with what is written", short="f"),
            Flag("index", "int", "Which of several containers of a service"),
            Flag("no-color", "bool", "No colours"),
            Flag("no-log-prefix", "bool", "Not whose line it is"),
            Flag("since", "string", "From a time, or so long ago, such as 10m"),
            Flag("tail", "string", "Only so many last lines of each", short="n", default="all"),
            Flag("timestamps", "bool", "Begin lines with their times", short="t"),
            Flag("until", "string", "Up to a time, or so long ago"), DRY_RUN,
        ),
        examples=("wharf compose logs -f web", "wharf compose logs --tail 20"),
    ),
)  # fmt: skip
