"""Options that say yes or no, in all the spellings that Go's clients use (strconv.ParseBool). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wharf.errors import InvalidArgument

_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def truth_of(attributes: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """Return an option; ``default`` where it is not given, or empty.

    Raises:
        InvalidArgument: it is neither yes nor no.
    """
    value = attributes.get(name, "")
    if not value:
        return default
    if value not in _TRUE | _FALSE:
        raise InvalidArgument(f"invalid value {value} for {name}: it is true or false")
    return value in _TRUE
