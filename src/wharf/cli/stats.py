"""``wharf stats``."""

from __future__ import annotations

import sys
import time

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.output import print_rows
from wharf.cli.usage_figures import stats_row
from wharf.client.containers import Containers
from wharf.client.documents import as_document, text
from wharf.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.cli.command import Session
    from wharf.cli.flags import Values

_COLUMNS = ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")
_HEADERS = {"ID": "CONTAINER ID"}
_INTERVAL_S = 1.0


def _rows(containers: Containers, names: list[str], *, full: bool) -> list[dict[str, str]]:
    rows = []
    for name in names:
        # Each reading takes the engine about a second, for it is the difference of two.
        document = next(containers.stats(name), None)
        rows.append(stats_row(as_document(document), full=full))
    return rows


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
    once = values.on("no-stream")
    while True:
        chosen = which()
        try:
            rows = _rows(containers, chosen, full=values.on("no-trunc"))
        except NotFound:
            if named:
                raise
            continue  # it went while we listed them
        if not once and sys.stdout.isatty():
            sys.stdout.write("\033[H\033[J")
        print_rows(session, rows, _COLUMNS, template=values.text("format"), headers=_HEADERS)
        sys.stdout.flush()
        if once:
            return 0
        if not chosen:
            time.sleep(_INTERVAL_S)


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
