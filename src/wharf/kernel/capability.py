"""Capabilities: their names, and the five sets of this thread (capabilities(7)).

A set is an int with bit n for capability n.
"""

from __future__ import annotations

import errno

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes
from wharf.kernel.prctl import prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

NAMES: Final = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
"""The name of capability n is NAMES[n]."""

_NUMBER_OF: Final = {name: number for number, name in enumerate(NAMES)}
_VERSION_3: Final = 0x20080522
_AMBIENT_RAISE: Final = 2
_AMBIENT_CLEAR_ALL: Final = 4


_HEADER: Final = _VERSION_3.to_bytes(4, "little") + bytes(4)  # struct __user_cap_header_struct: this thread
_HALF_BYTES: Final = 12  # struct __user_cap_data_struct: 32 bits of each set
_capget = libc.prototype("capget", ctypes.c_char_p, ctypes.c_char_p, keep_gil=True)
_capset = libc.prototype("capset", ctypes.c_char_p, ctypes.c_char_p, keep_gil=True)


def parse(names: Iterable[str]) -> int:
    """Return the set of these capabilities (names as in NAMES).

    Raises:
        ValueError: with the name of one that this kernel interface does not know.
    """
    bits = 0
    for name in names:
        number = _NUMBER_OF.get(name)
        if number is None:
            raise ValueError(f"unknown capability {name}")
        bits |= 1 << number
    return bits


def names_of(bits: int) -> list[str]:
    """Return the names in the set, in the order of their numbers; bits without a name are left out."""
    return [name for number, name in enumerate(NAMES) if bits >> number & 1]


def get() -> tuple[int, int, int]:
    """Return this thread's (effective, permitted, inheritable) sets; see capget(2)."""
    sets = ctypes.create_string_buffer(2 * _HALF_BYTES)
    _capget(_HEADER, sets)
    effective, permitted, inheritable = (_field(sets.raw, 4 * number) for number in range(3))
    return effective, permitted, inheritable


def _field(sets: bytes, start: int) -> int:
    low, high = (sets[at : at + 4] for at in (start, start + _HALF_BYTES))
    return int.from_bytes(low + high, "little")


def set_(effective: int, permitted: int, inheritable: int) -> None:
    """Set this thread's sets.

    Raises:
        OSError: EPERM when a permitted one is not permitted now, or an inheritable one not in the bounding set.

    See capset(2).
    """
    whole = [bits.to_bytes(8, "little") for bits in (effective, permitted, inheritable)]
    _capset(_HEADER, b"".join([bits[:4] for bits in whole] + [bits[4:] for bits in whole]))


def bounding() -> int:
    """Return the bounding set: what this thread and its children can ever get."""
    bits = 0
    for number in range(64):
        try:
            bits |= prctl(23, number) << number
        except OSError as error:
            if error.errno == errno.EINVAL:  # past the kernel's last one
                break
            raise
    return bits


def drop_bounding(bits: int) -> None:
    """Take these out of the bounding set, for good; needs CAP_SETPCAP (EPERM). Those the kernel lacks are skipped."""
    for number in range(bits.bit_length()):
        if bits >> number & 1:
            with libc.suppress_errno(errno.EINVAL):
                prctl(24, number)


def set_ambient(bits: int) -> None:
    """Make the ambient set exactly this; each must be permitted and inheritable (EPERM). Linux 4.3+."""
    prctl(47, _AMBIENT_CLEAR_ALL)
    for number in range(bits.bit_length()):
        if bits >> number & 1:
            prctl(47, _AMBIENT_RAISE, number)
