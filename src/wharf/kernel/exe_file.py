"""Let go of the file that this process was executed from, and have another in its place (prctl(2), PR_SET_MM_MAP).

Whoever may look into a process has its executable by /proc/<pid>/exe. CRIU changes that link for the processes that
it brings back, and so can any process for itself: the kernel wants no part of the old file to be mapped any more, and
an executable file instead. An interpreter whose code is in a library (--enable-shared) is small: its few pages become
copies that belong to no file. One that is a single file cannot be copied while it runs.

Linux 5.9+ with CONFIG_CHECKPOINT_RESTORE, for who has CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_SET_MM: Final = 35
_SET_MM_MAP: Final = 14
_PRIVATE_ANONYMOUS: Final = 0x22
_READ_WRITE: Final = 3
_MAY_MOVE_FIXED: Final = 3
_PROTECTION: Final = {"r": 1, "w": 2, "x": 4, "-": 0, "p": 0, "s": 0}
_STAT_FIELDS: Final = {  # proc_pid_stat(5), counted from the state, which is field 3
    "start_code": 23,
    "end_code": 24,
    "start_stack": 25,
    "start_data": 42,
    "end_data": 43,
    "start_brk": 44,
    "arg_start": 45,
    "arg_end": 46,
    "env_start": 47,
    "env_end": 48,
}


class _Map(ctypes.Structure):
    """struct prctl_mm_map."""

    _fields_ = (
        ("start_code", ctypes.c_uint64),
        ("end_code", ctypes.c_uint64),
        ("start_data", ctypes.c_uint64),
        ("end_data", ctypes.c_uint64),
        ("start_brk", ctypes.c_uint64),
        ("brk", ctypes.c_uint64),
        ("start_stack", ctypes.c_uint64),
        ("arg_start", ctypes.c_uint64),
        ("arg_end", ctypes.c_uint64),
        ("env_start", ctypes.c_uint64),
        ("env_end", ctypes.c_uint64),
        ("auxv", ctypes.c_uint64),
        ("auxv_size", ctypes.c_uint32),
        ("exe_fd", ctypes.c_uint32),
    )


_WORD: Final = ctypes.c_ulong
_mmap = libc.syscall((9, 222), _WORD, _WORD, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_mprotect = libc.syscall((10, 226), _WORD, _WORD, ctypes.c_int)
_mremap = libc.syscall((25, 216), _WORD, _WORD, _WORD, ctypes.c_int, _WORD)
_brk = libc.syscall((12, 214), _WORD)
_prctl = libc.syscall((157, 167), ctypes.c_int, _WORD, ctypes.POINTER(_Map), _WORD, _WORD)


def replace(fd: int) -> None:
    """Make ``fd``, a file that may be executed, what /proc/self/exe leads to; our children inherit that.

    Raises:
        OSError: EBUSY: the interpreter is a single file; EPERM: not ours to do; EINVAL: the kernel cannot.
    """
    path = os.readlink("/proc/self/exe")
    mapped = list(_mappings(path))
    if any(start <= id(None) < end for start, end, _ in mapped):
        raise OSError(errno.EBUSY, "the interpreter's own data are in the file", path)
    for start, end, protection in mapped:
        _copy(start, end - start, protection)
    _set(fd)


def _mappings(path: str) -> list[tuple[int, int, int]]:
    """Return (start, end, protection) of what is mapped of ``path`` (proc_pid_maps(5))."""
    found: list[tuple[int, int, int]] = []
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.rstrip("\n").split(None, 5)
            if len(fields) > 5 and fields[5] == path:
                start, _, end = fields[0].partition("-")
                found.append((int(start, 16), int(end, 16), sum(_PROTECTION[letter] for letter in fields[1])))
    return found


def _copy(start: int, size: int, protection: int) -> None:
    """Put memory with the same content in the place of a mapped file, in one step: code in it may be running."""
    copy = _mmap(0, size, _READ_WRITE, _PRIVATE_ANONYMOUS, -1, 0)
    content = (ctypes.c_char * size).from_address(start).raw
    (ctypes.c_char * size).from_address(copy).raw = content
    _mprotect(copy, size, protection)
    _mremap(copy, size, size, _MAY_MOVE_FIXED, start)


def _set(fd: int) -> None:
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    layout = _Map(exe_fd=fd, **{name: int(fields[number]) for name, number in _STAT_FIELDS.items()})
    layout.brk = _brk(0)  # last: it is set anew too, and what is allocated here would move it
    _prctl(_SET_MM, _SET_MM_MAP, layout, ctypes.sizeof(layout), 0)
