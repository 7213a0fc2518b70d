"""Points in time on a command line: ``--since`` and ``--until``."""

from __future__ import annotations

import time

from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration


def moment(text: str, now: float) -> str:
    """Return what the API takes for ``10m`` (ago), Unix seconds, or an RFC 3339 time; empty stays empty.

    Raises:
        InvalidArgument: it is none of them.
    """
    if not text or text.replace(".", "", 1).isdigit():
        return text
    try:
        return f"{now - parse_duration(text) / 1e9:.9f}"
    except InvalidArgument:
        pass
    from datetime import datetime  # noqa: PLC0415  # only for a written date

    try:
        return f"{datetime.fromisoformat(text).timestamp():.9f}"
    except ValueError:
        raise InvalidArgument(f'failed to parse value as time or duration: "{text}"') from None


def rfc3339(nanoseconds: int) -> str:
    """Return a time with its nanoseconds, in the local zone."""
    seconds, rest = divmod(nanoseconds, 10**9)
    local = time.localtime(seconds)
    zone = time.strftime("%z", local)
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", local)
        + f".{rest:09d}"
        + ("Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}")
    )


def as_go_prints(text: str) -> str:
    """Return an RFC 3339 time as Go prints one: ``2026-01-02 03:04:05.6 +0000 UTC``."""
    date, clock, rest = text[:10], text[11:19], text[19:]
    fraction = rest.rstrip("Z").partition("+")[0].partition("-")[0].rstrip("0").rstrip(".")
    zone = rest[-6:].replace(":", "") if rest[-6:-5] in {"+", "-"} else "+0000"
    return f"{date} {clock}{fraction} {zone} {'UTC' if zone == '+0000' else zone}"
