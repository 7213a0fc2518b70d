"""Whose files a container's own are: its user, looked up in its own /etc/passwd and /etc/group."""

from __future__ import annotations

import os
from typing import Final

from wharf.errors import InvalidArgument
from wharf.kernel.openat2 import open_in_root

_LONGEST_FILE_BYTES: Final = 8 << 20


def owner(root: int, user: str) -> tuple[int, int]:
    """Return the uid and gid of "user[:group]", names or numbers, in the root whose descriptor is ``root``.

    Raises:
        InvalidArgument: a name that the container's files do not have.
    """
    name, _, group = (user or "0").partition(":")
    entry = next((e for e in _lines(root, "/etc/passwd") if len(e) > 3 and name in (e[0], e[2])), None)
    if entry is None and not name.isdigit():
        raise InvalidArgument(f"unable to find user {name}: no matching entries in passwd file")
    uid, gid = (int(entry[2]), int(entry[3])) if entry else (int(name), 0)
    if not group:
        return uid, gid
    found = next((e for e in _lines(root, "/etc/group") if len(e) > 2 and group in (e[0], e[2])), None)
    if found is None and not group.isdigit():
        raise InvalidArgument(f"unable to find group {group}: no matching entries in group file")
    return uid, int(found[2] if found else group)


def _lines(root: int, path: str) -> list[list[str]]:
    """Return the lines of a file of the container, split; none when it cannot be read."""
    try:
        fd = open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return []  # no such file is normal in images without users
    try:
        text = os.read(fd, _LONGEST_FILE_BYTES).decode(errors="surrogateescape")
    except OSError:
        return []  # a folder, for example
    finally:
        os.close(fd)
    return [fields for line in text.splitlines() if len(fields := line.split(":")) > 2 and fields[2].isdigit()]
