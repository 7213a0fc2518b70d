"""Lists and documents as the user wants them: a table, ids, JSON lines, or a template."""

from __future__ import annotations

import sys

from wharf.cli.command import terminal_width
from wharf.cli.rows import Row, row_json
from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps
from wharf.lib.tables import fit, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wharf.cli.command import Session

_HEADERS = {
    "RunningFor": "CREATED", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT", "LocalVolumes": "LOCAL VOLUMES",
    "CPUPerc": "CPU %", "MemUsage": "MEM USAGE / LIMIT", "MemPerc": "MEM %", "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O",
    "VirtualSize": "SIZE", "SharedSize": "SHARED SIZE", "UniqueSize": "UNIQUE SIZE",
    "Driver": "DRIVER", "TotalCount": "TOTAL", "CreatedBy": "CREATED BY",
    "Name": "NAME", "VolumeName": "VOLUME NAME",
}  # fmt: skip


def header(field: str, headers: Mapping[str, str] | None = None) -> str:
    """Return a column's title."""
    return (headers or {}).get(field) or _HEADERS.get(field) or field.upper()


class _Titles(dict[str, str]):
    """The titles of a table without rows: nothing tells which fields there could be."""

    def __contains__(self, field: object) -> bool:
        return True

    def get(self, field: str, _: object = None) -> str:
        return header(field, self)


def print_formatted(session: Session, template: str, document: Mapping[str, object]) -> None:
    """Print one document by a template; ``json`` prints it whole."""
    if template == "json":
        session.print(dumps(document))
        return
    from wharf.cli.template import render as fill  # noqa: PLC0415  # only for who gives a template

    session.print(fill(template, dict(document)))


def print_rows(
    session: Session,
    rows: Sequence[Mapping[str, str]],
    columns: Sequence[str],
    *,
    template: str = "",
    headers: Mapping[str, str] | None = None,
    flexible: Sequence[str] = (),
) -> None:
    r"""Print rows as a table of ``columns``, or by ``template``.

    Args:
        session: Where to.
        rows: Every field that a template may name.
        columns: Those of the plain table.
        template: ``table``, ``table {{.A}}\t{{.B}}``, ``json`` or a template a row; empty for the plain table.
        headers: Titles that differ from the usual.
        flexible: Columns that may be cut to fit a terminal.
    """
    if template in {"", "table"}:
        cells = [[header(column, headers) for column in columns], *([row[c] for c in columns] for row in rows)]
        width = terminal_width()
        if width and flexible:
            cells = fit(cells, width, [i for i, column in enumerate(columns) if column in flexible])
        sys.stdout.write(render(cells))
    elif template == "json":
        for row in rows:
            session.print(row_json(row))
    else:
        _print_by_template(session, rows, template, headers)


def _print_by_template(
    session: Session, rows: Sequence[Mapping[str, str]], template: str, headers: Mapping[str, str] | None
) -> None:
    from wharf.cli.template import check  # noqa: PLC0415  # only for who gives a template
    from wharf.cli.template import render as fill  # noqa: PLC0415

    as_table = template.startswith("table ")
    template = template.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    try:
        check(template)
    except InvalidArgument as error:
        raise InvalidArgument(str(error).replace("template parsing error", "failed to parse template")) from error
    lines = [fill(template, Row(row)) for row in rows]
    if not as_table:
        for line in lines:
            session.print(line)
        return
    titles = {field: header(field, headers) for field in rows[0]} if rows else _Titles(headers or {})
    title = fill(template, titles)
    sys.stdout.write(render([line.split("\t") for line in (title, *lines)]))


def parse_filters(texts: Sequence[str]) -> dict[str, list[str]]:
    """Return ``--filter name=value`` texts as name → values.

    Raises:
        InvalidArgument: one has no ``=`` or no name.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise InvalidArgument(f"invalid filter '{text}'")
        found.setdefault(name.strip().lower(), []).append(value.strip())
    return found
