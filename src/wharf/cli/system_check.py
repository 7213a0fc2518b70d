"""``wharf system check``: whether everything that is stored is whole."""

from __future__ import annotations

import json

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.client.documents import as_document, number, section, text
from wharf.client.system import System
from wharf.errors import InvalidArgument, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _check(session: Session, values: Values, _: list[str]) -> int:
    form = values.text("format")
    if form not in ("", "json"):
        raise InvalidArgument(f"invalid --format {form!r}: the only one is json")
    count: Document = {}
    for each in System(session.client).check(quick=values.on("quick"), repair=values.on("repair")):
        document = as_document(each)
        if failure := text(section(document, "errorDetail"), "message"):
            raise WharfError(failure)
        if form:
            session.print(json.dumps(document))
        elif "kind" in document:
            session.print(line(document))
        if "kind" not in document:
            count = document
    if not form:
        session.print(summary(count))
    return 1 if number(count, "problems") else 0


def line(finding: Document) -> str:
    """Return one finding as people read it."""
    remedy = f" ({text(finding, 'remedy')})" if text(finding, "remedy") else ""
    return f"{text(finding, 'kind')} {text(finding, 'subject')}: {text(finding, 'problem')}{remedy}"


def summary(count: Document) -> str:
    """Return the last line."""
    problems, repaired, garbage = (number(count, name) for name in ("problems", "repaired", "garbage"))
    said = f"{problems} problem{'' if problems == 1 else 's'}" if problems else "All is well"
    more = [f"{repaired} repaired"] if repaired else []
    more += [f"{garbage} that nothing refers to"] if garbage else []
    return f"{said}{': ' if more else ''}{', '.join(more)}"


COMMANDS = (
    Command(
        "system check", _check, "Verify everything that is stored",
        flags=(
            Flag("format", "string", "'json': one finding a line, the counts last"),
            Flag("quick", "bool", "Only look what is there: read no content"),
            Flag("repair", "bool", "Mend what can be mended; what is good is never lost"),
        ),
        examples=("wharf system check", "wharf system check --repair", "wharf system check --quick --format json"),
    ),
)  # fmt: skip
