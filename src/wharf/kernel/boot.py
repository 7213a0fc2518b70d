"""Which run of the kernel this is (proc_sys_kernel(5), "random/boot_id")."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return an id that is the kernel's until the machine stops, and no other run's."""
    return _BOOT_ID.read_text().strip()
