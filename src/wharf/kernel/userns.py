"""User namespaces as seen from inside (user_namespaces(7))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ALL_IDS: Final = 4294967295


def mapped(text: bytes) -> list[tuple[int, int, int]]:
    """Return the rows of a uid_map or gid_map: (first id inside, first id outside, how many). Pure."""
    rows = [line.split() for line in text.splitlines()]
    return [(int(inside), int(outside), int(count)) for inside, outside, count in rows]


def is_initial(text: bytes) -> bool:
    """Return whether a uid_map maps every id to itself, as the first namespace's does. Pure."""
    return mapped(text) == [(0, 0, _ALL_IDS)]


def inside() -> bool:
    """Return whether the caller is in another user namespace than the first: root there is not the machine's."""
    return not is_initial(_read("/proc/self/uid_map"))


def has_one_id() -> bool:
    """Return whether nobody but root exists here, and so no file can be another's."""
    return sum(count for _, _, count in mapped(_read("/proc/self/uid_map"))) == 1


def may_set_groups() -> bool:
    """Return whether setgroups(2) is allowed: not where a map was written without privilege."""
    return _read("/proc/self/setgroups").strip() == b"allow"


def _read(path: str) -> bytes:
    """Return a whole file, by what needs no import: a container's init may ask."""
    with open(path, "rb", buffering=0) as file:
        return file.read()
