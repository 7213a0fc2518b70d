"""Rows of lists: text in a table and in templates, and what Docker's command line makes of them in JSON. Pure."""

from __future__ import annotations

from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Field(str):
    """A field that is text everywhere but in JSON: there it is ``document``."""

    __slots__ = ("document",)
    document: object


def field(text: str, document: object) -> Field:
    """Return a field that is ``text``, and ``document`` in JSON."""
    made = Field(text)
    made.document = document
    return made


class Row(dict[str, str]):
    """One line's fields by name, the whole of what a template is given."""


def to_json(value: object) -> str:
    """Return a value as JSON, as templates' ``json`` does.

    A row is a map of Go's to Docker's command line, and goes through Go's own encoder: sorted, and made fit for HTML.
    """
    if isinstance(value, Row):
        return row_json(value)
    return dumps(value.document if isinstance(value, Field) else value)


def row_json(row: Mapping[str, str]) -> str:
    """Return a row as JSON."""
    text = dumps({name: one.document if isinstance(one, Field) else one for name, one in sorted(row.items())})
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
