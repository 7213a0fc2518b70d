"""Resource limits by the names of the runtime specification (getrlimit(2))."""

from __future__ import annotations

import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NUMBER_OF: Final = {
    f"RLIMIT_{name}": getattr(resource, f"RLIMIT_{name}")
    for name in (
        "AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "MSGQUEUE", "NICE",
        "NOFILE", "NPROC", "RSS", "RTPRIO", "RTTIME", "SIGPENDING", "STACK",
    )
    if hasattr(resource, f"RLIMIT_{name}")
} | {"RLIMIT_LOCKS": 10}  # fmt: skip
"""RLIMIT_* → its number."""

_UNLIMITED: Final = (1 << 64) - 1


def set_clipped(number: int, soft: int, hard: int) -> bool:
    """Set a limit of this process; where raising it is not allowed, raise it as far as it is.

    Args:
        number: of NUMBER_OF.
        soft: the limit; 2**64-1 or -1 for none.
        hard: what it can be raised to.

    Returns:
        whether it is now exactly as asked.
    """
    wanted = (_signed(soft), _signed(hard))
    try:
        resource.setrlimit(number, wanted)
    except (PermissionError, ValueError):  # Python says ValueError for "exceeds hard limit"
        present = resource.getrlimit(number)[1]
        resource.setrlimit(number, (_lower(wanted[0], present), _lower(wanted[1], present)))
        return False
    return True


def _signed(limit: int) -> int:
    return resource.RLIM_INFINITY if limit in (-1, _UNLIMITED) else limit


def _lower(wanted: int, present: int) -> int:
    if present == resource.RLIM_INFINITY:
        return wanted
    return present if wanted == resource.RLIM_INFINITY else min(wanted, present)
