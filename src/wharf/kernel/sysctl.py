"""Kernel parameters below /proc/sys (sysctl(8), proc_sys(5))."""

from __future__ import annotations

import os


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
    """Set ``name`` below the open folder ``proc_sys``; OSError with its path."""
    path = path_of(name)
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc_sys)
    try:
        os.write(fd, value.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(fd)
