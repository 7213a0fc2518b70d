"""Signal dispositions without Python's signal module: a child just cloned pays for each page that it touches."""

from __future__ import annotations

import ctypes

from wharf.kernel import libc

_signal = libc.prototype("signal", ctypes.c_int, ctypes.c_void_p, keep_gil=True)


def set_default(number: int) -> None:
    """Give signal ``number`` its default action; Python's own table of handlers is not told. See signal(2)."""
    _signal(number, None)
