"""Which ids of the machine the users of a container's user namespace are (user_namespaces(7)). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Row = tuple[int, int, int]
"""First id inside, first id outside, how many."""


NOBODY: Final = 65534
"""Who has what is nobody's there: /proc/sys/kernel/overflowuid."""


@dataclass(frozen=True, slots=True)
class Remap:
    """Mappings: the ids from 0 on are those of ``uids`` and ``gids``, in their order.

    Each is of ranges (first, count), as subuid(5) has them.
    """

    uids: tuple[tuple[int, int], ...]
    gids: tuple[tuple[int, int], ...]

    @property
    def root(self) -> tuple[int, int]:
        """The machine's user and group that root of a container is."""
        return self.uids[0][0], self.gids[0][0]

    @property
    def maps(self) -> tuple[str, str]:
        """The contents of uid_map and gid_map."""
        return _text(self.uids), _text(self.gids)

    def outside(self, uid: int, gid: int) -> tuple[int, int]:
        """Return the machine's ids of a container's.

        Raises:
            ValueError: the container has no such ids.
        """
        found = _outside(self.uids, uid), _outside(self.gids, gid)
        if found[0] is None or found[1] is None:
            raise ValueError(f"owner {uid}:{gid} does not exist in the container's user namespace")
        return found[0], found[1]

    def inside(self, uid: int, gid: int) -> tuple[int, int]:
        """Return a container's ids of the machine's; those that it does not have are nobody's, as it sees them."""
        return _inside(self.uids, uid), _inside(self.gids, gid)


def parse(uid_map: str, gid_map: str) -> Remap | None:
    """Return the mappings of a process, as its uid_map and gid_map tell them; None: its users are the machine's."""
    maps = [[tuple(map(int, line.split())) for line in text.splitlines()] for text in (uid_map, gid_map)]
    if all(inside == outside for found in maps for inside, outside, _ in found):
        return None
    return Remap(*(tuple((outside, count) for _, outside, count in sorted(found)) for found in maps))


def _outside(ranges: tuple[tuple[int, int], ...], number: int) -> int | None:
    return next((start + number - first for first, start, count in rows(ranges) if 0 <= number - first < count), None)


def _inside(ranges: tuple[tuple[int, int], ...], number: int) -> int:
    found = (first + number - start for first, start, count in rows(ranges) if 0 <= number - start < count)
    return next(found, NOBODY)


def rows(ranges: tuple[tuple[int, int], ...]) -> Iterator[Row]:
    """Return the rows of a map that gives these ranges out from 0 on."""
    free = 0
    for first, count in ranges:
        yield free, first, count
        free += count


def _text(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{inside} {outside} {count}\n" for inside, outside, count in rows(ranges))
