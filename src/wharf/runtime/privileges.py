"""Giving up rights: bounding set, user and groups, capabilities, no_new_privs, in the only order that works.

::

    become:  rlimits ▸ bounding drop ▸ groups, gid, uid      the program is looked for now, by the user
    confine: [seccomp] ▸ capset ▸ ambient ▸ no_new_privs     then wait to be started
    finish:  [seccomp]

A filter needs CAP_SYS_ADMIN or no_new_privs: without the latter it goes in before the last capset, with it right
before the exec, so that it sees as few of our own calls as can be.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import capability, prctl
from wharf.kernel.signals import raw as signal
from wharf.kernel.userns import may_set_groups
from wharf.runtime.errors import during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.runtime.account import Account
    from wharf.runtime.notify import Agent
    from wharf.spec.oci_runtime import Process

_ALL: Final = (1 << len(capability.NAMES)) - 1
_SIGKILL: Final = int(signal.SIGKILL)


class Privileges:
    """What the process may do; capability sets are ints (``wharf.kernel.capability``).

    ``agent`` is who answers the filter's questions.
    """

    __slots__ = (
        "agent",
        "ambient",
        "bounded",
        "bounding",
        "effective",
        "filter",
        "filter_flags",
        "inheritable",
        "no_new_privileges",
        "permitted",
        "rlimits",
        "umask",
        "warnings",
    )

    def __init__(self, process: Process, filter_: bytes, filter_flags: int) -> None:
        sets = process.get("capabilities") or {}
        unknown: dict[str, None] = {}
        self.bounding = _known(sets.get("bounding"), unknown)
        self.effective = _known(sets.get("effective"), unknown)
        self.inheritable = _known(sets.get("inheritable"), unknown)
        self.permitted = _known(sets.get("permitted"), unknown)
        self.ambient = _known(sets.get("ambient"), unknown)
        self.warnings = [f"unknown capability {name} is not granted" for name in unknown]
        self.bounded = False
        self.rlimits = [_rlimit(item["type"], item["soft"], item["hard"]) for item in process.get("rlimits") or ()]
        if len({number for number, _, _ in self.rlimits}) < len(self.rlimits):
            raise invalid("rlimits has two entries of the same type")
        self.umask = (process.get("user") or {}).get("umask", 0o022)
        self.no_new_privileges = bool(process.get("noNewPrivileges"))
        self.filter = filter_
        self.filter_flags = filter_flags
        self.agent: Agent | None = None

    def __repr__(self) -> str:
        return f"bounding={capability.names_of(self.bounding)} rlimits={self.rlimits} nnp={self.no_new_privileges}"


def _known(names: list[str] | None, unknown: dict[str, None]) -> int:
    """Return the set; what the kernel interface does not know goes into ``unknown`` (config.md "capabilities")."""
    known = []
    for name in names or ():
        if name in capability.NAMES:
            known.append(name)
        else:
            unknown[name] = None
    return capability.parse(known)


def _rlimit(name: str, soft: int, hard: int) -> tuple[int, int, int]:
    from wharf.kernel import rlimit  # noqa: PLC0415 - start-up

    number = rlimit.NUMBER_OF.get(name)
    if number is None:
        raise invalid(f"invalid rlimit type: {name}")
    if 0 <= hard < soft:
        raise invalid(f"rlimit {name}: the soft limit {soft} is above the hard limit {hard}")
    return number, soft, hard


def become(wanted: Privileges, account: Account) -> None:
    """Become ``account``, with no more in effect than is wanted; what is permitted is still to be given up.

    Raises:
        StartFailed: the kernel refused.
    """
    try:
        _limit(wanted.rlimits)
        os.umask(wanted.umask)
        drop_bounding(wanted)
        _change_user(account)
        _, had, _ = capability.get()
        capability.set_(wanted.effective & had, had, 0)
        # The change of user has undone this.
        prctl.set_dumpable(dumpable=False)
    except OSError as error:
        raise during_init(error, "error giving up privileges") from error


def _limit(rlimits: list[tuple[int, int, int]]) -> None:
    if rlimits:
        from wharf.kernel import rlimit  # noqa: PLC0415 - start-up; whoever has planned them has it loaded

        for number, soft, hard in rlimits:
            rlimit.set_clipped(number, soft, hard)


def confine(wanted: Privileges) -> None:
    """Keep ``wanted`` and no more; what cannot be granted here is left out.

    The filter of a process with no_new_privs is left to :func:`finish`.

    Raises:
        StartFailed: the kernel refused.
    """
    try:
        _, had, _ = capability.get()
        if wanted.filter and not wanted.no_new_privileges:
            capability.set_(had, had, 0)
            _filter(wanted)
        permitted = wanted.permitted & had
        inheritable = wanted.inheritable & had
        capability.set_(wanted.effective & permitted, permitted, inheritable)
        capability.set_ambient(wanted.ambient & permitted & inheritable)
        if wanted.no_new_privileges:
            prctl.set_no_new_privileges()
    except OSError as error:
        raise during_init(error, "error giving up privileges") from error


def drop_bounding(wanted: Privileges) -> None:
    """Give up, for ever, the capabilities outside the bounding set; done once, as soon as the set is known."""
    if not wanted.bounded:
        capability.drop_bounding(_ALL & ~wanted.bounding)
        wanted.bounded = True


def finish(wanted: Privileges) -> None:
    """Install the filter that was left; the next call is execve."""
    if wanted.filter and wanted.no_new_privileges:
        _filter(wanted)


def _filter(wanted: Privileges) -> None:
    from wharf.kernel import seccomp  # noqa: PLC0415 - start-up; whoever has compiled the filter has it loaded

    if wanted.agent is None:
        seccomp.install(wanted.filter, wanted.filter_flags)
    else:
        wanted.agent.install(wanted.filter, wanted.filter_flags)


def _change_user(account: Account) -> None:
    prctl.set_keep_capabilities(keep=True)
    try:
        os.setgroups(account.groups)
    except PermissionError:
        # A user namespace that a user without privileges has made: there groups cannot be changed, and so none given.
        if account.groups and may_set_groups():
            raise
    try:
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        text = f"user {account.uid}:{account.gid} does not exist in this user namespace (see /proc/self/uid_map)"
        raise OSError(errno.EINVAL, text) from error
    prctl.set_keep_capabilities(keep=False)
