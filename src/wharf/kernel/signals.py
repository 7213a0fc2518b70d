"""Signal dispositions without Python's signal module: a child just cloned pays for each page that it touches."""

from __future__ import annotations

import ctypes

from wharf.kernel import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_SIG_SETMASK: Final = 2
_MASK_BYTES: Final = 8

# By its number: the C library's function keeps its internal signals, 32 and 33, out of every mask that it sets.
_set_mask = libc.syscall((14, 135), ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t, keep_gil=True)
_signal = libc.prototype("signal", ctypes.c_int, ctypes.c_void_p, keep_gil=True)


def set_default(number: int) -> None:
    """Give signal ``number`` its default action; Python's own table of handlers is not told. See signal(2)."""
    _signal(number, None)


def unblock_all() -> None:
    """Block no signal at all. See sigprocmask(2)."""
    _set_mask(_SIG_SETMASK, bytes(_MASK_BYTES), None, _MASK_BYTES)
