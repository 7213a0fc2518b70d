"""prctl(2): what a process asks of the kernel about itself."""

from __future__ import annotations

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes


class Option:
    """PR_* operations."""

    SET_PDEATHSIG = 1
    SET_DUMPABLE = 4
    SET_KEEPCAPS = 8
    SET_NAME = 15
    CAPBSET_READ = 23
    CAPBSET_DROP = 24
    SET_CHILD_SUBREAPER = 36
    SET_NO_NEW_PRIVS = 38
    CAP_AMBIENT = 47


_prctl = libc.prototype(
    "prctl", ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, keep_gil=True
)


def prctl(option: int, first: int = 0, second: int = 0) -> int:
    """Do operation ``option``; what it returns and raises is its own."""
    return _prctl(option, first, second, 0, 0)


def set_parent_death_signal(number: int) -> None:
    """Get signal ``number`` when the parent's thread ends; 0 for none. A change of user clears it."""
    _prctl(1, number, 0, 0, 0)


def set_dumpable(*, dumpable: bool) -> None:
    """Allow or forbid others to trace this process and reach its /proc/<pid>/exe and fd; execve allows it."""
    _prctl(4, int(dumpable), 0, 0, 0)


def set_keep_capabilities(*, keep: bool) -> None:
    """Keep the permitted capabilities when the user changes from 0; cleared by execve."""
    _prctl(8, int(keep), 0, 0, 0)


def set_name(name: str) -> None:
    """Set the thread's name, as ps shows it: its first 15 bytes."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _prctl(15, ctypes.addressof(buffer), 0, 0, 0)


def set_child_subreaper() -> None:
    """Become the parent of descendants that lose theirs."""
    _prctl(36, 1, 0, 0, 0)


def set_no_new_privileges() -> None:
    """Make execve never grant a privilege again, in this process and its children; cannot be undone."""
    _prctl(38, 1, 0, 0, 0)
