"""Exchange two names at once (renameat2(2), RENAME_EXCHANGE)."""

from __future__ import annotations

import os

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 1 << 1

_renameat2 = libc.prototype(
    "renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint, path=1
)


def exchange(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> None:
    """Let each of two existing paths of one file system be what the other was; atomic."""
    _renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
