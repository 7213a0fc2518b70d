"""The functions of ``--format`` templates: Go's own (text/template, "Functions") and those that docker adds."""

from __future__ import annotations

from wharf.cli.rows import to_json
from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def show(value: object) -> str:
    """Return a value as Go's templates print it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{show(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(show, value)) + "]"
    return str(value)


def index(value: object, *keys: object) -> object:
    """Return what is at ``keys``, one after the other: Go's zero for a key that a map has not."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, "")
        elif isinstance(value, list) and isinstance(key, int):
            value = value[key]
        else:
            raise TypeError(f"cannot index {show(value)}")
    return value


def _slice(value: object, low: object = 0, high: object = None) -> object:
    if not isinstance(value, (list, str)):
        raise TypeError(f"cannot slice {show(value)}")
    high = len(value) if high is None else high
    if not isinstance(low, int) or not isinstance(high, int) or not 0 <= low <= high <= len(value):
        raise IndexError(f"index out of range: {show(low)}:{show(high)}")
    return value[low:high]


def _length(value: object) -> int:
    if not isinstance(value, (dict, list, str)):
        raise TypeError(f"{show(value)} has no length")
    return len(value)


def _texts(value: object) -> list[str]:
    return [show(item) for item in value] if isinstance(value, list) else []


def _printf(form: object, *values: object) -> str:
    """Format as Go's fmt does, as far as texts, numbers, quotes, values and booleans go."""
    out, rest, left = "", str(form), list(values)
    while rest:
        plain, percent, rest = rest.partition("%")
        out += plain
        if not percent:
            break
        if rest[:1] == "%":
            out, rest = f"{out}%", rest[1:]
            continue
        end = next((i for i, letter in enumerate(rest) if letter.isalpha()), None)
        if end is None:
            return out + "%!(NOVERB)"
        flags, verb, rest = rest[:end], rest[end], rest[end + 1 :]
        out += _formatted(flags, verb, left.pop(0)) if left else f"%!{verb}(MISSING)"
    return out


def _formatted(flags: str, verb: str, value: object) -> str:
    if verb in "sv":
        return f"%{flags}s" % show(value)
    if verb == "q":
        return f"%{flags}s" % dumps(show(value))
    if verb == "t" and isinstance(value, bool):
        return show(value)
    if verb in "dxXofeg" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"%{flags}{verb}" % value
    return f"%!{verb}({show(value)})"


def _compared(compare: Callable[[float, float], bool]) -> Callable[[object, object], bool]:
    def function(one: object, other: object) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return compare((one > other) - (one < other), 0)
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            return compare(one, other)
        raise TypeError("incompatible types for comparison")

    return function


def _first(values: tuple[object, ...], *, wanted: bool) -> object:
    return next((value for value in values if bool(value) is wanted), values[-1])


def _pad(text: object, before: object, after: object) -> str:
    if not isinstance(before, int) or not isinstance(after, int):
        raise TypeError("pad takes numbers of blanks")
    return " " * before + show(text) + " " * after if text else ""


def _truncate(text: object, length: object) -> str:
    if not isinstance(length, int):
        raise TypeError("truncate takes a length")
    return show(text)[:length]


FUNCTIONS: dict[str, Callable[..., object]] = {
    "and": lambda *values: _first(values, wanted=False),
    "eq": lambda value, *others: value in others,
    "ge": _compared(lambda one, other: one >= other),
    "gt": _compared(lambda one, other: one > other),
    "index": index,
    "join": lambda value, separator: str(separator).join(_texts(value)),
    "json": to_json,
    "le": _compared(lambda one, other: one <= other),
    "len": _length,
    "lower": lambda value: show(value).lower(),
    "lt": _compared(lambda one, other: one < other),
    "ne": lambda value, other: value != other,
    "not": lambda value: not value,
    "or": lambda *values: _first(values, wanted=True),
    "pad": _pad,
    "print": lambda *values: "".join(map(show, values)),
    "printf": _printf,
    "println": lambda *values: " ".join(map(show, values)) + "\n",
    "slice": _slice,
    "split": lambda value, separator: show(value).split(str(separator)),
    "title": lambda value: show(value).title(),
    "truncate": _truncate,
    "upper": lambda value: show(value).upper(),
}
