"""Who the process is: numbers, or names looked up in the container's own /etc/passwd and /etc/group."""

from __future__ import annotations

import os

from wharf.kernel.openat2 import open_in_root
from wharf.runtime.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from wharf.spec.oci_runtime import User

_LONGEST_FILE_BYTES: Final = 8 << 20
_LARGEST_ID: Final = (1 << 31) - 1


class Account:
    """The ids to run as, and the home folder ("" when nobody says)."""

    __slots__ = ("gid", "groups", "home", "uid")

    def __init__(self, uid: int, gid: int, groups: list[int], home: str) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home

    def __repr__(self) -> str:
        return f"Account({self.uid}, {self.gid}, {self.groups}, {self.home!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Account) and repr(self) == repr(other)

    __hash__ = None  # type: ignore[assignment]  # it is mutable


def look_up(root: int, user: User) -> Account:
    """Return who ``user`` is inside the root whose descriptor is ``root``.

    Raises:
        StartFailed: a name that the container's files do not have, in Docker's words.
    """
    passwd, group = _read(root, "/etc/passwd"), None
    if not user.get("username") and not user.get("groupnames"):
        account = Account(user.get("uid", 0), user.get("gid", 0), list(user.get("additionalGids", ())), "")
        entry = next((e for e in passwd if e[2] == str(account.uid)), None)
        account.home = entry[5] if entry else ""
        return account
    group = _read(root, "/etc/group")
    account = resolve(user.get("username", ""), passwd, group) if user.get("username") else _numeric(user, passwd)
    extra = [*user.get("additionalGids", ()), *(_group_id(name, group) for name in user.get("groupnames", ()))]
    # Its own group is among them: else a program that changes its group is no member of it, and what a file denies
    # to the group is given to it as to others.
    account.groups = list(dict.fromkeys([account.gid, *account.groups, *extra]))
    return account


def resolve(name: str, passwd: Sequence[Sequence[str]], group: Sequence[Sequence[str]]) -> Account:
    """Return who "user[:group]" is, each a name or a number, as ``docker run --user`` means it.

    A number need not be in the files. Without a group, the user's own and those that list it as a member are meant.

    Raises:
        StartFailed: an unknown name, or a number out of range.
    """
    user_part, _, group_part = name.partition(":")
    user_part = user_part or "0"
    entry = next((e for e in passwd if e[0] == user_part), None)
    if entry is None:
        entry = next((e for e in passwd if e[2] == user_part), None)
    if entry is None and not user_part.isdigit():
        raise invalid(f"unable to find user {user_part}: no matching entries in passwd file")
    uid = _number(entry[2] if entry else user_part)
    home = entry[5] if entry else ""
    if group_part:
        return Account(uid, _group_id(group_part, group), [], home)
    groups = [_number(g[2]) for g in group if entry and entry[0] in g[3].split(",")]
    return Account(uid, _number(entry[3]) if entry else 0, groups, home)


def _numeric(user: User, passwd: Sequence[Sequence[str]]) -> Account:
    uid = user.get("uid", 0)
    home = next((e[5] for e in passwd if e[2] == str(uid)), "")
    return Account(uid, user.get("gid", 0), [], home)


def _group_id(name: str, group: Sequence[Sequence[str]]) -> int:
    entry = next((e for e in group if e[0] == name), None)
    if entry is not None:
        return _number(entry[2])
    if name.isdigit():
        return _number(name)
    raise invalid(f"unable to find group {name}: no matching entries in group file")


def _number(text: str) -> int:
    if not text.isdigit() or int(text) > _LARGEST_ID:
        raise invalid(f"uids and gids must be in range 0-{_LARGEST_ID}")
    return int(text)


def _read(root: int, path: str) -> list[list[str]]:
    """Return the lines of a file of the container, split and padded to seven fields; none when it cannot be read."""
    try:
        fd = open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return []  # no such file is normal in images without users; names are then not found
    try:
        text = os.read(fd, _LONGEST_FILE_BYTES).decode(errors="surrogateescape")
    except OSError:
        return []  # a folder, for example
    finally:
        os.close(fd)
    return [(line.split(":") + [""] * 7)[:7] for line in text.splitlines() if line and not line.startswith("#")]
