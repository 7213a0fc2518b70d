"""Which ids of the machine the users of containers are: ``userns-remap`` (dockerd(8); subuid(5))."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from typing import Final

from wharf.errors import InvalidArgument, NotFound, NotImplementedHere
from wharf.kernel import process
from wharf.lib.remap import Remap
from wharf.rootless import ids

DEFAULT_USER: Final = "dockremap"
_FIRST_FREE: Final = 100_000
_COUNT: Final = 65_536


def find(asked: str | Remap, etc: Path = Path("/etc"), *, rootless: bool = False) -> Remap | None:
    """Return which ids are asked for; None for nobody's. Blocks.

    Args:
        asked: the ids themselves; or whose subordinate ids: ``user`` or ``user:group``, by names or ids, or
            ``default`` for those of the user dockremap, who is made, and given some, unless there is one.
        etc: where they are written down.
        rootless: the engine itself is in a user namespace.

    Raises:
        NotFound: there is no such user or group, or no subordinate ids are theirs.
        InvalidArgument: it is none of these, or the engine is a plain user's.
        NotImplementedHere: the user cannot be made here.
    """
    if not asked:
        return None
    if rootless:
        raise InvalidArgument(
            "userns-remap is for engines that root runs: a plain user's containers are in a user namespace already"
        )
    if isinstance(asked, Remap):
        return asked
    if asked == "default":
        _make_user(etc)
        asked = f"{DEFAULT_USER}:{DEFAULT_USER}"
    user, separator, group = asked.partition(":")
    if not user or (separator and not group):
        raise InvalidArgument(f'invalid userns-remap "{asked}": give default, user or user:group, by names or ids')
    account = _account(user)
    if account.pw_uid == 0:
        return None  # as Docker: root that is mapped to itself needs no user namespace
    return _given(account, group, etc)


def _given(account: pwd.struct_passwd, group: str, etc: Path) -> Remap:
    """Return what the user's ranges are, and the group's: without one those of the groups in the user's name."""
    name, gid = _group(group) if group else (account.pw_name, account.pw_gid)
    uids = ids.ranges(_read(etc / "subuid"), account.pw_name, account.pw_uid)
    gids = ids.ranges(_read(etc / "subgid"), name, gid)
    for kind, found, whose in (("subuid", uids, account.pw_name), ("subgid", gids, name)):
        if not found:
            raise NotFound(f'no {kind} ranges found for "{whose}": add a line to /etc/{kind}, as usermod(8) does')
    return Remap(tuple(uids), tuple(gids))


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _account(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        raise NotFound(f'userns-remap: there is no user "{name}"') from None


def _group(name: str) -> tuple[str, int]:
    try:
        found = grp.getgrgid(int(name)) if name.isdigit() else grp.getgrnam(name)
    except KeyError:
        raise NotFound(f'userns-remap: there is no group "{name}"') from None
    return found.gr_name, found.gr_gid


def _make_user(etc: Path) -> None:
    try:
        account = pwd.getpwnam(DEFAULT_USER)
    except KeyError:
        _run("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", DEFAULT_USER)
        account = pwd.getpwnam(DEFAULT_USER)
    for file, option in (("subuid", "--add-subuids"), ("subgid", "--add-subgids")):
        text = _read(etc / file)
        if not ids.ranges(text, DEFAULT_USER, account.pw_uid):
            first = free_range(text)
            _run("usermod", option, f"{first}-{first + _COUNT - 1}", DEFAULT_USER)


def free_range(text: str) -> int:
    """Return where 65,536 ids that /etc/subuid or /etc/subgid gives to nobody begin. Pure."""
    first = _FIRST_FREE
    for start, count in sorted(taken(text)):
        if start < first + _COUNT and first < start + count:
            first = start + count
    return first


def taken(text: str) -> list[tuple[int, int]]:
    """Return all ranges of such a file; malformed lines have none. Pure."""
    names = {line.partition(":")[0] for line in text.splitlines()}
    return [each for name in names for each in ids.ranges(text, name, -1)]


def _run(*line: str) -> None:
    try:
        done = process.run(line)
    except FileNotFoundError as error:
        raise NotImplementedHere(f"userns-remap: {DEFAULT_USER} cannot be made without {line[0]}(8)") from error
    if done.code:
        said = done.stderr.decode(errors="replace").strip()
        raise NotImplementedHere(f"userns-remap: {DEFAULT_USER} cannot be made: {said}")
