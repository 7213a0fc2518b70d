"""``wharf stats``."""

from __future__ import annotations

import sys
import time

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.output import print_rows
from wharf.cli.usage_figures import stats_row
from wharf.client.containers import Containers
from wharf.client.documents import as_document, section, text
from wharf.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_COLUMNS = ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")
_HEADERS = {"ID": "CONTAINER ID"}
_INTERVAL_S = 1.0


def _readings(containers: Containers, names: list[str], *, named: bool) -> dict[str, Document]:
    """Return what each container has used so far; one that has gone is left out, unless it was named."""
    found = {}
    for name in names:
        try:
            found[name] = as_document(next(containers.stats(name, one_shot=True), None))
        except NotFound:
            if named:
                raise
    return found


def _stats(session: Session, values: Values, names: list[str]) -> int:
    containers = Containers(session.client)

    def all_of_them() -> list[str]:
        return [text(summary, "Id") for summary in containers.list(all_states=values.on("all"))]

    return show_stats(session, values, (lambda: names) if names else all_of_them, named=bool(names))


def show_stats(session: Session, values: Values, which: Callable[[], list[str]], *, named: bool = False) -> int:
    """Show what containers use, once or until interrupted.

    Args:
        session: Where to.
        values: all, format, no-stream, no-trunc.
        which: Returns the containers' names, anew for each reading.
        named: They must exist; else one that goes meanwhile is left out.
    """
    containers = Containers(session.client)
    once, full = values.on("no-stream"), values.on("no-trunc")
    earlier = _readings(containers, which(), named=named)
    while True:
        time.sleep(_INTERVAL_S)  # what is shown of processors is the difference of two readings
        readings = _readings(containers, which(), named=named)
        rows = [
            stats_row(name, {**stats, "precpu_stats": section(earlier.get(name, {}), "cpu_stats")}, full=full)
            for name, stats in readings.items()
        ]
        earlier = readings
        if not once and sys.stdout.isatty():
            sys.stdout.write("\033[H\033[J")
        print_rows(session, rows, _COLUMNS, template=values.text("format"), headers=_HEADERS)
        sys.stdout.flush()
        if once:
            return 0


COMMANDS = (
    Command(
        "stats",
        _stats,
        "Show what containers use, live",
        arguments="[CONTAINER...]",
        flags=(
            Flag("all", "bool", "Also those that do not run", short="a"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("no-stream", "bool", "Once, and end"),
            Flag("no-trunc", "bool", "Whole ids"),
        ),
        count=(0, None),
        examples=("wharf stats", "wharf stats --no-stream web"),
    ),
)
