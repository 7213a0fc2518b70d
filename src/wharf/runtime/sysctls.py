"""Kernel parameters of the container's own namespaces (config-linux.md "Sysctl")."""

from __future__ import annotations

import os

from wharf.kernel import sysctl
from wharf.runtime.errors import during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from wharf.runtime.namespaces import NamespacePlan

_IPC: Final = frozenset(
    {
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    }
)


def plan(wanted: Mapping[str, str], namespaces: NamespacePlan) -> list[tuple[str, str]]:
    """Return (name, value) in order.

    Raises:
        StartFailed: a parameter that would change the host.
    """
    for name in wanted:
        try:
            dotted = sysctl.path_of(name).replace("/", ".")
        except ValueError as error:
            raise invalid(str(error)) from error
        needed = _namespace_of(dotted)
        if needed is None or not namespaces.has(needed):
            raise invalid(f'sysctl "{name}" is not in a separate kernel namespace')
    return list(wanted.items())


def _namespace_of(name: str) -> str | None:
    if name in _IPC or name.startswith("fs.mqueue."):
        return "ipc"
    if name.startswith("net."):
        return "network"
    return "uts" if name == "kernel.domainname" else None


def write(wanted: list[tuple[str, str]], folder: int = -1) -> None:
    """Write them through any /proc: which namespace is meant depends on the caller alone.

    Args:
        wanted: from :func:`plan`.
        folder: a writable /proc/sys, which is closed; -1: the host's.
    """
    if not wanted:
        return
    if folder == -1:
        folder = os.open("/proc/sys", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name, value in wanted:
            try:
                sysctl.write(folder, name, value)
            except OSError as error:
                raise during_init(error, f'failed to write sysctl {name} = "{value}"') from error
    finally:
        os.close(folder)
