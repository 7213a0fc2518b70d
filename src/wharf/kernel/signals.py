"""Signal dispositions without Python's signal module: a child just cloned pays for each page that it touches."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal is made of: that brings enum, and takes 6 ms

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

raw: Final[Any] = _signal
"""The functions and numbers of the signal module, the numbers as plain ints."""

_SIG_SETMASK: Final = 2
_MASK_BYTES: Final = 8

# By its number: the C library's function keeps its internal signals, 32 and 33, out of every mask that it sets.
_set_mask = libc.syscall((14, 135), ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t, keep_gil=True)
_set_action = libc.syscall((13, 134), ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t, keep_gil=True)
_DEFAULT_ACTION: Final = bytes(32)  # struct kernel_sigaction: SIG_DFL, no flags, no mask
INTERNAL: Final = (32, 33)
"""The C library's own signals, which its functions refuse to touch; a parent may have left them ignored."""


def set_default(number: int) -> None:
    """Give signal ``number`` its default action; neither Python nor the C library is told. See rt_sigaction(2)."""
    _set_action(number, _DEFAULT_ACTION, None, _MASK_BYTES)


def unblock_all() -> None:
    """Block no signal at all. See sigprocmask(2)."""
    _set_mask(_SIG_SETMASK, bytes(_MASK_BYTES), None, _MASK_BYTES)
