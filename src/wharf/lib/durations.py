"""Durations as Go and docker's command line write and read them; in nanoseconds, as the Engine API has them."""

from __future__ import annotations

from wharf.errors import InvalidArgument

_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_STEPS = (
    # below so many seconds: in words, with this many seconds to one
    (3600 * 48, 3600, "hours"),
    (3600 * 24 * 14, 3600 * 24, "days"),
    (3600 * 24 * 60, 3600 * 24 * 7, "weeks"),
    (3600 * 24 * 365 * 2, 3600 * 24 * 30, "months"),
)


def parse_duration(text: str) -> int:
    """Return the nanoseconds that ``1m30s`` stands for (Go's time.ParseDuration).

    Raises:
        InvalidArgument: it is no duration; the text is Go's.
    """
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total = 0.0
    if not rest:
        raise InvalidArgument(f'time: invalid duration "{text}"')
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        unit = rest[: len(rest) - len(rest.lstrip("nuµmsh"))]
        rest = rest[len(unit) :]
        if not number.replace(".", "", 1).isdigit():
            raise InvalidArgument(f'time: invalid duration "{text}"')
        if not unit:
            raise InvalidArgument(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS_NS:
            raise InvalidArgument(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _UNITS_NS[unit]
    return sign * round(total)


def go_duration(ns: int) -> str:
    """Return nanoseconds as Go's time.Duration prints them: ``1m30s``, ``1.5s``, ``250ms``, ``0s``."""
    sign, rest = ("-", -ns) if ns < 0 else ("", ns)
    if rest < _UNITS_NS["s"]:
        unit = next((u for u in ("ms", "µs", "ns") if rest >= _UNITS_NS[u]), "s")
        return f"{sign}{_decimal(rest, _UNITS_NS[unit])}{unit}"
    minutes, left = divmod(rest, _UNITS_NS["m"])
    hours, minutes = divmod(minutes, 60)
    shown = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{shown}{_decimal(left, _UNITS_NS['s'])}s"


def _decimal(value: int, one: int) -> str:
    whole, part = divmod(value, one)
    digits = str(part).rjust(len(str(one)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def human_duration(seconds: float) -> str:
    """Return how long in about two words, as docker ps does: ``About a minute``, ``3 weeks``."""
    whole = int(seconds)
    minutes = whole // 60
    hours = round(seconds / 3600)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    return next(
        (
            f"{hours if unit == 3600 else whole // unit} {name}"
            for limit, unit, name in _STEPS
            if hours * 3600 < limit
        ),
        f"{whole // (3600 * 24 * 365)} years",
    )
