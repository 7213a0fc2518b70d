"""Signals by name or number, as docker kill takes them."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal is made of: that brings enum, more than all of `kill`

from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_NUMBER_OF: Final[dict[str, int]] = {
    name: number for name, number in vars(_signal).items() if name.startswith("SIG") and name[3] != "_"
}
_FIRST, _LAST = _NUMBER_OF["SIGRTMIN"], _NUMBER_OF["SIGRTMAX"]


def parse_signal(text: str) -> int:
    """Return the number of "SIGTERM", "term", "15" or "RTMIN+3".

    Raises:
        InvalidArgument: there is no such signal on Linux.
    """
    name = text.strip().upper()
    number = int(name) if name.isdigit() else _by_name(name if name.startswith("SIG") else f"SIG{name}")
    if not 0 < number <= _LAST:
        raise InvalidArgument(f"invalid signal: {text}")
    return number


def _by_name(name: str) -> int:
    base, sign, offset = name.partition("+") if "+" in name else name.partition("-")
    if sign and base in ("SIGRTMIN", "SIGRTMAX") and offset.isdigit():
        number = _NUMBER_OF[base] + (int(offset) if sign == "+" else -int(offset))
        return number if _FIRST <= number <= _LAST else 0
    return _NUMBER_OF.get(name, 0)
