"""Id maps written for a plain user: their own ids, or those that newuidmap(1) and newgidmap(1) know to be theirs."""

from __future__ import annotations

import errno
import os

from wharf.runtime.namespaces import write_map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_PROGRAMS: Final = {"uid_map": "newuidmap", "gid_map": "newgidmap"}


def write(pid: int, uid_map: str, gid_map: str) -> None:
    """Write the maps of the new user namespace of process ``pid``.

    Raises:
        OSError: EPERM: an id is not the caller's; ENOENT: the program that could tell is not installed.
    """
    own = {"uid_map": (uid_map, os.getuid()), "gid_map": (gid_map, os.getgid())}
    if all(is_own(text, number) for text, number in own.values()):
        write_map(pid, "setgroups", "deny")  # else the kernel takes no gid_map from a plain user
        for name, (text, _) in own.items():
            write_map(pid, name, text)
        return
    for name, (text, _) in own.items():
        _run([_PROGRAMS[name], str(pid), *text.split()])


def is_own(text: str, number: int) -> bool:
    """Return whether a map gives nothing but the caller's own id. Pure."""
    words = text.split()
    return words[1:] == [str(number), "1"]


def _run(line: list[str]) -> None:
    pid = os.posix_spawnp(line[0], line, dict(os.environ))
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise OSError(errno.EPERM, f"{line[0]} does not let this user have these ids (see /etc/subuid)")
