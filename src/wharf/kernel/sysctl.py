"""Kernel parameters below /proc/sys (sysctl(8), proc_sys(5))."""

from __future__ import annotations

import os

from wharf.kernel.mount import require_procfs
from wharf.kernel.openat2 import Resolve, openat2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_INSIDE: Final = int(Resolve.BENEATH | Resolve.NO_SYMLINKS)


def path_of(name: str) -> str:
    """Return ``name``'s path below /proc/sys: dots separate, unless a slash comes first.

    Raises:
        ValueError: it is empty, or leaves /proc/sys.
    """
    dot, slash = name.find("."), name.find("/")
    if slash == -1 or (dot != -1 and dot < slash):
        name = name.translate({ord("."): "/", ord("/"): "."})
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"not the name of a sysctl: {name}")
    return "/".join(parts)


def write(proc_sys: int, name: str, value: str) -> None:
    """Set ``name`` below the open folder ``proc_sys``; OSError with its path, EXDEV when it is no file of procfs."""
    path = path_of(name)
    fd = openat2(proc_sys, path, os.O_WRONLY, resolve=_INSIDE)
    try:
        require_procfs(fd)
        os.write(fd, value.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(fd)
