"""Reading and printing typed values; kinds of numbers that are printed otherwise than they are kept."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import msgspec

from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration
from wharf.lib.sizes import parse_size

EXTENSIONS = "#extensions"


class Duration(int):
    """Nanoseconds; printed as Go does: ``1m30s``."""

    def __str__(self) -> str:
        return go_duration(self)


class Size(int):
    """Bytes; printed as a text of digits."""

    def __str__(self) -> str:
        return str(int(self))


class FileMode(int):
    """Permission bits; printed in octal: ``0440``."""

    def __str__(self) -> str:
        return f"0{int(self):o}"


class Part(msgspec.Struct, kw_only=True):
    """A part of a project. Fields are in the order in which they are printed."""

    extensions: dict[str, Any] = msgspec.field(name=EXTENSIONS, default_factory=dict)

    always: ClassVar[frozenset[str]] = frozenset()
    """Fields that are printed even when they say nothing."""
    in_json: ClassVar[frozenset[str]] = frozenset()
    """Fields that JSON has even when they say nothing."""

    def printed(self, *, as_json: bool = False) -> dict[str, object]:
        """Return the part as docker compose prints it: plain values, what says nothing left out.

        Args:
            as_json: For JSON, which leaves extensions out and has more of what is empty.
        """
        out: dict[str, Any] = {}
        wanted = self.always | self.in_json if as_json else self.always
        for field, name in zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True):
            value = getattr(self, field)
            if name == EXTENSIONS:
                continue
            shown = plain(value, as_json=as_json)
            if field in wanted or says_something(value, shown, type(self).__annotations__.get(field, "")):
                out[name] = shown
        if not as_json:
            out.update({key: plain(value) for key, value in self.extensions.items()})
        return out


def says_something(value: object, shown: object, annotation: object) -> bool:
    """Return whether Go would print it: None never, a zero only where None would have been possible."""
    if value is None:
        return False
    if str(annotation).endswith("| None"):
        return not isinstance(value, list) or bool(value)
    return bool(shown) if isinstance(value, (Part, dict, list, str)) else bool(value)


def plain(value: object, *, as_json: bool = False) -> object:
    """Return a value of the model as texts, numbers, lists and mappings (keys sorted)."""
    if isinstance(value, Part):
        return value.printed(as_json=as_json)
    if isinstance(value, (Duration, Size, FileMode)):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(value[key], as_json=as_json) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item, as_json=as_json) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _decode(kind: type, value: Any) -> Any:  # msgspec's hook
    try:
        if kind is Duration:
            return Duration(parse_duration(value) if isinstance(value, str) else value)
        if kind is Size:
            return Size(-1 if str(value) == "-1" else parse_size(str(value)))
        return FileMode(int(value, 8) if isinstance(value, str) else value)
    except InvalidArgument as error:
        raise ValueError(str(error)) from error  # msgspec adds the path to a ValueError


T = TypeVar("T")


def convert(document: object, kind: type[T]) -> T:
    """Return a canonical document as a typed value.

    Raises:
        msgspec.ValidationError: a value is of the wrong type, or a duration, size or mode is malformed; its text says
            where.
    """
    return msgspec.convert(document, kind, dec_hook=_decode)


def go_duration(ns: int) -> str:
    """Return nanoseconds as Go's time.Duration prints them."""
    if not ns:
        return "0s"
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if ns < size * 1000:
            return f"{sign}{_trimmed(ns, size)}{unit}"
    seconds, rest = divmod(ns, 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{_trimmed(seconds * 1_000_000_000 + rest, 1_000_000_000)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else f"{sign}{text}"


def _trimmed(ns: int, size: int) -> str:
    whole, rest = divmod(ns, size)
    digits = len(str(size)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".") if rest else str(whole)
