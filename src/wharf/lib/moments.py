"""Points in time as Docker's clients write them: Unix seconds, RFC 3339, or a duration before now."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration

_UNIX = re.compile(r"(-?\d+)(?:\.(\d{1,9})\d*)?")


def parse_moment(text: str, *, now_ns: int) -> int:
    """Return nanoseconds since 1970 for ``text``; "10m" is ten minutes before ``now_ns``.

    Raises:
        InvalidArgument: it is of none of the three forms.
    """
    if match := _UNIX.fullmatch(text):
        seconds, fraction = match.groups()
        return int(seconds) * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))
    if text[-1:] in ("s", "m", "h"):
        return now_ns - parse_duration(text)
    return to_ns(text)


def to_ns(text: str) -> int:
    """Return nanoseconds since 1970 for an RFC 3339 time; UTC when it names no zone.

    Raises:
        InvalidArgument: it is not one.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidArgument(f"invalid value for time: {text}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + _fraction_ns(text)


def _fraction_ns(text: str) -> int:
    """Return the fraction of a second in RFC 3339 ``text``, which datetime would cut at microseconds."""
    match = re.search(r":\d{2}\.(\d{1,9})", text)
    return int(match[1].ljust(9, "0")) if match else 0


def parse_optional_moment(text: str | None, *, now_ns: int) -> int | None:
    """Return :func:`parse_moment` of ``text``; None for None, "" and "0", which mean no bound."""
    return parse_moment(text, now_ns=now_ns) if text not in (None, "", "0") else None
