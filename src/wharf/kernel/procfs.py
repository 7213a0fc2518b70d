"""A procfs instance of one's own, for parameters of network namespaces (proc(5), fsopen(2))."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from wharf.kernel import mount

_PATH = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def proc_sys() -> Iterator[int]:
    """Yield a descriptor of /proc/sys as the calling thread's namespaces have it.

    It is of an instance that is made for this and goes with it. In the usual one the entries of all network
    namespaces have the same names, and so lie in one chain of the kernel's table: beside 500 namespaces one look-up
    takes a millisecond. Where no instance may be made (a user namespace that does not see all of /proc), it is the
    usual one.
    """
    folder = _open()
    try:
        yield folder
    finally:
        os.close(folder)


def _open() -> int:
    try:
        root = _instance()
    except PermissionError:
        return os.open("/proc/sys", _PATH)
    try:
        return os.open("sys", _PATH, dir_fd=root)
    finally:
        os.close(root)


def _instance() -> int:
    fs = mount.fsopen("proc")
    try:
        mount.create(fs)
        return mount.fsmount(fs)
    finally:
        os.close(fs)
