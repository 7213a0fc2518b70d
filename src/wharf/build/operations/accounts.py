"""Names of users and groups, looked up in a tree's own /etc/passwd and /etc/group (passwd(5), group(5))."""

from __future__ import annotations

import os
from typing import Final

from wharf.build.graph.operations import Owner
from wharf.errors import InvalidArgument
from wharf.kernel.openat2 import open_in_root

_MAX_BYTES: Final = 8 * 1024 * 1024


def ids_of(owner: Owner | None, root: int | None) -> tuple[int | None, int | None]:
    """Return the uid and the gid of an owner; (None, None) for none.

    Raises:
        InvalidArgument: the tree has no such account, in BuildKit's words.
    """
    if owner is None:
        return None, None
    uid, gid = (owner.user, owner.user) if isinstance(owner.user, int) else _user(owner.user, root)
    if isinstance(owner.group, int):
        gid = owner.group
    elif owner.group is not None:
        gid = _group(owner.group, root)
    return uid, gid


def _user(name: str, root: int | None) -> tuple[int, int]:
    for fields in _entries(root, "/etc/passwd"):
        if fields[0] == name and len(fields) > 3 and fields[2].isdigit() and fields[3].isdigit():
            return int(fields[2]), int(fields[3])
    raise InvalidArgument(f"unable to find user {name}: no matching entries in passwd file")


def _group(name: str, root: int | None) -> int:
    for fields in _entries(root, "/etc/group"):
        if fields[0] == name and len(fields) > 2 and fields[2].isdigit():
            return int(fields[2])
    raise InvalidArgument(f"unable to find group {name}: no matching entries in group file")


def _entries(root: int | None, path: str) -> list[list[str]]:
    if root is None:
        return []
    try:
        fd = open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(fd, "rb") as file:
        text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    return [line.split(":") for line in text.splitlines() if line and not line.startswith("#")]
