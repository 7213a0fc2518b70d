"""Resource limits by the names of the runtime specification (getrlimit(2)).

Not by the resource module: that is a library of its own, to be found and mapped by each start of a container.
"""

from __future__ import annotations

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NUMBER_OF: Final = {
    f"RLIMIT_{name}": number
    for number, name in enumerate(
        (
            "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE",
            "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
        )
    )
}  # fmt: skip
"""RLIMIT_* → its number, which x86_64 and aarch64 have in common (include/uapi/asm-generic/resource.h)."""

_UNLIMITED: Final = (1 << 64) - 1
_Pair: Final = ctypes.c_uint64 * 2  # struct rlimit: soft, hard
_getrlimit = libc.prototype("getrlimit", ctypes.c_int, ctypes.POINTER(_Pair), keep_gil=True)
_setrlimit = libc.prototype("setrlimit", ctypes.c_int, ctypes.POINTER(_Pair), keep_gil=True)


def raise_soft(number: int) -> tuple[int, int]:
    """Let this process have as much as it may; return its limits from before, soft and hard."""
    present = _Pair()
    _getrlimit(number, present)
    _setrlimit(number, _Pair(present[1], present[1]))
    return present[0], present[1]


def set_clipped(number: int, soft: int, hard: int) -> bool:
    """Set a limit of this process; where raising it is not allowed, raise it as far as it is.

    Args:
        number: of NUMBER_OF.
        soft: the limit; 2**64-1 or -1 for none.
        hard: what it can be raised to.

    Returns:
        whether it is now exactly as asked.

    Raises:
        OSError: EINVAL: soft is above hard.
    """
    soft, hard = soft & _UNLIMITED, hard & _UNLIMITED
    try:
        _setrlimit(number, _Pair(soft, hard))
    except PermissionError:
        present = _Pair()
        _getrlimit(number, present)
        _setrlimit(number, _Pair(min(soft, present[1]), min(hard, present[1])))
        return False
    return True
