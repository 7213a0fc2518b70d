"""Signals by name or number, as docker kill takes them."""

from __future__ import annotations

import signal

from wharf.errors import InvalidArgument


def parse_signal(text: str) -> int:
    """Return the number of "SIGTERM", "term", "15" or "RTMIN+3".

    Raises:
        InvalidArgument: there is no such signal on Linux.
    """
    name = text.strip().upper()
    number = int(name) if name.isdigit() else _by_name(name if name.startswith("SIG") else f"SIG{name}")
    if not 0 < number <= signal.SIGRTMAX:
        raise InvalidArgument(f"invalid signal: {text}")
    return number


def _by_name(name: str) -> int:
    base, sign, offset = name.partition("+") if "+" in name else name.partition("-")
    if sign and base in ("SIGRTMIN", "SIGRTMAX") and offset.isdigit():
        number = int(signal.Signals[base]) + (int(offset) if sign == "+" else -int(offset))
        return number if signal.SIGRTMIN <= number <= signal.SIGRTMAX else 0
    return int(signal.Signals[name]) if name in signal.Signals.__members__ else 0
