"""Memory that the C library keeps for a process: how many heaps its threads have, and giving back what is free.

These are the GNU C library's own (mallopt(3), malloc_trim(3)); another one manages without, and then nothing is done.
"""

from __future__ import annotations

import ctypes

from wharf.kernel.libc import prototype

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.kernel.libc import Function

_M_ARENA_MAX: Final = -8  # <malloc.h>


def _if_there(name: str, *argtypes: object) -> Function | None:
    try:
        return prototype(name, *argtypes)
    except AttributeError:  # not the GNU C library
        return None


_mallopt: Final = _if_there("mallopt", ctypes.c_int, ctypes.c_int)
_malloc_trim: Final = _if_there("malloc_trim", ctypes.c_size_t)


def use_one_heap() -> None:
    """Let threads that are yet to start share the process's heap.

    Each would have one of its own, eight for each processor, and keep in it what it once needed. Threads that hold
    the interpreter's lock when they allocate do not wait for each other at the heap.
    """
    if _mallopt:
        _mallopt(_M_ARENA_MAX, 1)


def give_back() -> bool:
    """Return free memory to the kernel; return whether there was any."""
    return _malloc_trim is not None and _malloc_trim(0) == 1
