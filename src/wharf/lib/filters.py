"""Docker's ``filters``: names to lists of values; values of one name are alternatives, names must all hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from wharf.errors import InvalidArgument

Filters = Mapping[str, list[str]]


def parse_filters(text: str | None) -> dict[str, list[str]]:
    """Return the filters that JSON spells, ``{"k": ["v"]}`` or the older ``{"k": {"v": true}}``.

    Raises:
        InvalidArgument: it is neither.
    """
    if not text:
        return {}
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidArgument(f"invalid filter: {error}") from error
    if not isinstance(document, dict):
        raise InvalidArgument("invalid filter: not an object")
    return {name: _values(name, values) for name, values in document.items()}


def _values(name: str, values: object) -> list[str]:
    if isinstance(values, dict):
        values = [value for value, wanted in values.items() if wanted]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidArgument(f"invalid filter: values of {name!r} are not texts")
    return values


def require_known(filters: Filters, known: Iterable[str]) -> None:
    """Refuse, in Docker's words, a filter that is not among ``known``."""
    for name in sorted(filters.keys() - set(known)):
        raise InvalidArgument(f"invalid filter '{name}'")


def truth(filters: Filters, name: str) -> bool | None:
    """Return what a yes-or-no filter asks for; None when it is absent.

    Raises:
        InvalidArgument: its value is neither, or both.
    """
    if name not in filters:
        return None
    spelt = {"true": True, "1": True, "false": False, "0": False}
    found = {spelt.get(value.lower()) for value in filters[name]}
    if len(found) != 1 or None in found:
        raise InvalidArgument(f"invalid filter '{name}=[{' '.join(filters[name])}]'")
    return found.pop()


def match_labels(filters: Filters, labels: Mapping[str, str] | None) -> bool:
    """Return whether ``labels`` have every ``label`` (``name`` or ``name=value``) and none of ``label!``."""
    have = labels or {}
    return all(_has_label(have, wanted) for wanted in filters.get("label", [])) and not any(
        _has_label(have, unwanted) for unwanted in filters.get("label!", [])
    )


def _has_label(labels: Mapping[str, str], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in labels and (not equals or labels[name] == value)
