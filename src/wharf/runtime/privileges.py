"""Giving up rights: bounding set, user and groups, capabilities, no_new_privs, in the only order that works.

::

    rlimits ▸ bounding drop ▸ groups, gid, uid ▸ [seccomp] ▸ capset ▸ ambient ▸ no_new_privs ▸ … ▸ [seccomp]

A filter needs CAP_SYS_ADMIN or no_new_privs: without the latter it goes in before the last capset, with it right
before the exec, so that it sees as few of our own calls as can be.
"""

from __future__ import annotations

import os
import signal

from wharf.kernel import capability, prctl, rlimit, seccomp
from wharf.runtime.errors import during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.runtime.account import Account
    from wharf.spec.oci_runtime import Process

_ALL: Final = (1 << len(capability.NAMES)) - 1
_SIGKILL: Final = int(signal.SIGKILL)


class Privileges:
    """What the process may do; capability sets are ints (``wharf.kernel.capability``)."""

    __slots__ = (
        "ambient",
        "bounding",
        "effective",
        "filter",
        "filter_flags",
        "inheritable",
        "no_new_privileges",
        "permitted",
        "rlimits",
        "umask",
    )

    def __init__(self, process: Process, filter_: bytes, filter_flags: int) -> None:
        sets = process.get("capabilities") or {}
        try:
            self.bounding = capability.parse(sets.get("bounding") or ())
            self.effective = capability.parse(sets.get("effective") or ())
            self.inheritable = capability.parse(sets.get("inheritable") or ())
            self.permitted = capability.parse(sets.get("permitted") or ())
            self.ambient = capability.parse(sets.get("ambient") or ())
        except ValueError as error:
            raise invalid(str(error)) from error
        self.rlimits = [_rlimit(item["type"], item["soft"], item["hard"]) for item in process.get("rlimits") or ()]
        self.umask = (process.get("user") or {}).get("umask", 0o022)
        self.no_new_privileges = bool(process.get("noNewPrivileges"))
        self.filter = filter_
        self.filter_flags = filter_flags

    def __repr__(self) -> str:
        return f"bounding={capability.names_of(self.bounding)} rlimits={self.rlimits} nnp={self.no_new_privileges}"


def _rlimit(name: str, soft: int, hard: int) -> tuple[int, int, int]:
    number = rlimit.NUMBER_OF.get(name)
    if number is None:
        raise invalid(f"invalid rlimit type: {name}")
    return number, soft, hard


def reduce(wanted: Privileges, account: Account, *, filter_late: bool) -> None:
    """Become ``account`` with ``wanted`` and no more; what cannot be granted here is left out.

    Args:
        wanted: the privileges.
        account: the user.
        filter_late: leave the filter of a process with no_new_privs to :func:`finish`.

    Raises:
        StartFailed: the kernel refused.
    """
    try:
        for number, soft, hard in wanted.rlimits:
            rlimit.set_clipped(number, soft, hard)
        os.umask(wanted.umask)
        capability.drop_bounding(_ALL & ~wanted.bounding)
        _become(account)
        _, had, _ = capability.get()
        capability.set_(had, had, 0)  # a change of user emptied the effective set
        if wanted.filter and not (wanted.no_new_privileges and filter_late):
            seccomp.install(wanted.filter, wanted.filter_flags)
        permitted = wanted.permitted & had
        inheritable = wanted.inheritable & had
        capability.set_(wanted.effective & permitted, permitted, inheritable)
        capability.set_ambient(wanted.ambient & permitted & inheritable)
        if wanted.no_new_privileges:
            prctl.set_no_new_privileges()
        # The change of user has undone both of these.
        prctl.set_dumpable(dumpable=False)
    except OSError as error:
        raise during_init(error, "error giving up privileges") from error


def finish(wanted: Privileges) -> None:
    """Install the filter that was left; the next call is execve."""
    if wanted.filter and wanted.no_new_privileges:
        seccomp.install(wanted.filter, wanted.filter_flags)


def _become(account: Account) -> None:
    prctl.set_keep_capabilities(keep=True)
    os.setgroups(account.groups)
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    prctl.set_keep_capabilities(keep=False)
