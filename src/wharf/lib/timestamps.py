"""RFC 3339 in UTC with nanoseconds, the form of Docker's times; pure and light (no datetime)."""

from __future__ import annotations

import time

ZERO = "0001-01-01T00:00:00Z"
"""Docker's "never"."""


def rfc3339_nano(time_ns: int) -> str:
    """Return ``time_ns`` (since the epoch) as 2026-01-31T23:59:59.000000001Z, always with nine digits."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09d}Z"
