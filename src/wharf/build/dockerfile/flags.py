"""The ``--flags`` of an instruction, against those it knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from wharf.build.dockerfile.errors import meant
from wharf.errors import InvalidArgument

Kind = Literal["bool", "string", "list"]


class Flags:
    """The flags that were given."""

    def __init__(self, given: Iterable[str], known: Mapping[str, Kind]) -> None:
        """Check them.

        Raises:
            InvalidArgument: one is unknown, given twice, or has a value that it cannot have; in BuildKit's words.
        """
        self._values: dict[str, list[str]] = {}
        for word in given:
            if word == "--":
                break
            if not word.startswith("--"):
                raise InvalidArgument(f"arg should start with -- : {word}")
            flag, equals, value = word.partition("=")
            name = flag[2:]
            if name not in known:
                raise InvalidArgument(f"unknown flag: {flag}{meant(name, known)}")
            if name in self._values and known[name] != "list":
                raise InvalidArgument(f"duplicate flag specified: {flag}")
            self._values.setdefault(name, []).append(_checked(flag, known[name], value if equals else None))

    def text(self, name: str, default: str = "") -> str:
        """Return a flag's value."""
        return self._values.get(name, [default])[0]

    def on(self, name: str) -> bool:
        """Return whether a flag is on."""
        return self.text(name) == "true"

    def choice(self, name: str) -> bool | None:
        """Return whether a flag is on; None when it was not given."""
        return self.on(name) if name in self._values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return each value of a flag that may be given more than once."""
        return tuple(self._values.get(name, ()))


def _checked(flag: str, kind: Kind, value: str | None) -> str:
    if kind != "bool":
        if value is None:
            raise InvalidArgument(f"missing a value on flag: {flag}")
        return value
    if value == "":
        raise InvalidArgument(f"missing a value on flag: {flag}")
    said = "true" if value is None else value.lower()
    if said not in ("true", "false"):
        raise InvalidArgument(f"expecting boolean value for flag {flag}, not: {value}")
    return said
