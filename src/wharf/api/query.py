"""A request's query parameters, read the way Docker reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from wharf.errors import InvalidArgument

_FALSE = frozenset({"", "0", "no", "false", "none"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FILTERS = msgspec.json.Decoder(dict[str, list[str] | dict[str, bool] | None] | None)


class Query:
    """Parameters by name; the first of several values counts, as for Go's FormValue."""

    __slots__ = ("_values",)

    def __init__(self, raw: str) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(raw, keep_blank_values=True):
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        """Return a value, or None when it is absent or empty."""
        return next(iter(self._values.get(name, ())), "") or None

    def texts(self, name: str) -> list[str]:
        """Return every non-empty value."""
        return [value for value in self._values.get(name, ()) if value]

    def required(self, name: str) -> str:
        """Return a value; InvalidArgument when it is absent or empty."""
        if (value := self.text(name)) is None:
            raise InvalidArgument(f"missing query parameter {name!r}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean: everything but the empty text, 0, no, false and none is true."""
        if name not in self._values:
            return default
        return self._values[name][0].strip().lower() not in _FALSE

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None when it is absent or empty."""
        if (value := self.text(name)) is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise InvalidArgument(f'invalid value for {name}: parsing "{value}": invalid syntax')
        return int(value)

    def filters(self) -> Mapping[str, list[str]]:
        """Return the ``filters`` parameter: JSON, of lists, or of the older maps from value to true."""
        raw = self.text("filters")
        if raw is None:
            return {}
        try:
            decoded = _FILTERS.decode(raw)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise InvalidArgument(f"invalid filter: {error}") from error
        return {
            name: values
            if isinstance(values, list)
            else [value for value, wanted in (values or {}).items() if wanted]
            for name, values in (decoded or {}).items()
        }
