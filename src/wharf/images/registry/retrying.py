"""When to ask again, and after how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that a later attempt may do better than."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to wait."""

    attempts: int = 5
    first_s: float = 0.5
    longest_s: float = 30.0

    def delay_s(self, attempt: int, *, chance: float, retry_after_s: float | None = None) -> float | None:
        """Return how long to wait after the failed attempt of that number (from 1); None: give up.

        A registry's own wish (Retry-After) counts when it is bearable, and ends the matter when it is not.

        Args:
            attempt: how many there have been.
            chance: 0 to 1, so that many clients do not come back at once.
            retry_after_s: what the registry asked for.
        """
        if attempt >= self.attempts:
            return None
        if retry_after_s is not None:
            return retry_after_s if retry_after_s <= self.longest_s else None
        doubled: float = self.first_s * 2 ** (attempt - 1)
        return min(self.longest_s, doubled) * (0.5 + chance / 2)


def retry_after_s(header: str | None, *, now_s: float) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3); None for none or a malformed one."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError):
        return None
