"""Which ids of the machine a user's namespace has: the user's own as root, and those that subuid(5) gives. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = tuple[int, int, int]  # first id inside, first id outside, how many


def ranges(text: str, name: str, uid: int) -> list[tuple[int, int]]:
    """Return the ranges (first, count) that /etc/subuid or /etc/subgid gives a user; malformed lines give nothing."""
    found = []
    for line in text.splitlines():
        owner, _, rest = line.strip().partition(":")
        first, _, count = rest.partition(":")
        if owner in (name, str(uid)) and first.isdigit() and count.isdigit() and int(count):
            found.append((int(first), int(count)))
    return found


def rows(own: int, subordinate: Sequence[tuple[int, int]]) -> list[Row]:
    """Return the map: the user is 0, the subordinate ids follow from 1 on in their order."""
    mapped, free = [(0, own, 1)], 1
    for first, count in subordinate:
        mapped.append((free, first, count))
        free += count
    return mapped


def arguments(pid: int, mapped: Sequence[Row]) -> list[str]:
    """Return the arguments of newuidmap(1) and newgidmap(1)."""
    return [str(pid), *(str(number) for row in mapped for number in row)]
