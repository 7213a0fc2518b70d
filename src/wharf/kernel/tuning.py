"""How the kernel treats a process: scheduler, I/O priority, execution domain, NUMA memory policy."""

from __future__ import annotations

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

POLICIES: Final = {
    "SCHED_OTHER": 0,
    "SCHED_FIFO": 1,
    "SCHED_RR": 2,
    "SCHED_BATCH": 3,
    "SCHED_ISO": 4,
    "SCHED_IDLE": 5,
    "SCHED_DEADLINE": 6,
}
SCHEDULER_FLAGS: Final = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01,
    "SCHED_FLAG_RECLAIM": 0x02,
    "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08,
    "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
    "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}
IO_CLASSES: Final = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
DOMAINS: Final = {"LINUX": 0x0000, "LINUX32": 0x0008}
MEMORY_MODES: Final = {
    "MPOL_DEFAULT": 0,
    "MPOL_PREFERRED": 1,
    "MPOL_BIND": 2,
    "MPOL_INTERLEAVE": 3,
    "MPOL_LOCAL": 4,
    "MPOL_PREFERRED_MANY": 5,
    "MPOL_WEIGHTED_INTERLEAVE": 6,
}
MEMORY_FLAGS: Final = {
    "MPOL_F_STATIC_NODES": 1 << 15,
    "MPOL_F_RELATIVE_NODES": 1 << 14,
    "MPOL_F_NUMA_BALANCING": 1 << 13,
}

_CLASS_SHIFT: Final = 13
_WHO_GROUP: Final = 2
_WORD_BITS: Final = 64


class _Attributes(ctypes.Structure):
    """struct sched_attr of sched_setattr(2), as of Linux 5.3."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
        ("util_min", ctypes.c_uint32),
        ("util_max", ctypes.c_uint32),
    )


_sched_setattr = libc.syscall((314, 274), ctypes.c_int, ctypes.POINTER(_Attributes), ctypes.c_uint)
_ioprio_set = libc.syscall((251, 30), ctypes.c_int, ctypes.c_int, ctypes.c_int)
_personality = libc.prototype("personality", ctypes.c_ulong)
_set_mempolicy = libc.syscall((238, 237), ctypes.c_int, ctypes.POINTER(ctypes.c_uint64), ctypes.c_ulong)


def set_scheduler(policy: int, flags: int = 0, nice: int = 0, priority: int = 0, *deadline_ns: int) -> None:
    """Set the calling thread's scheduling policy.

    Args:
        policy: of POLICIES.
        flags: of SCHEDULER_FLAGS.
        nice: for the policies that are not of real time.
        priority: 1 to 99 for FIFO and RR, else 0.
        deadline_ns: runtime, deadline and period, for SCHED_DEADLINE.

    Raises:
        OSError: EINVAL; EPERM without CAP_SYS_NICE; EBUSY: no room for that deadline.

    See sched_setattr(2).
    """
    runtime, deadline, period = deadline_ns or (0, 0, 0)
    size = ctypes.sizeof(_Attributes)
    _sched_setattr(0, _Attributes(size, policy, flags, nice, priority, runtime, deadline, period), 0)


def set_io_priority(class_: int, level: int) -> None:
    """Set the I/O priority of the calling process's group: of IO_CLASSES, and 0 (highest) to 7. See ioprio_set(2)."""
    _ioprio_set(_WHO_GROUP, 0, class_ << _CLASS_SHIFT | level)


def set_domain(domain: int) -> None:
    """Set the execution domain, of DOMAINS: what kind of machine uname(2) shows. See personality(2)."""
    _personality(domain)


def set_memory_policy(mode: int, nodes: set[int]) -> None:
    """Set from which NUMA nodes memory comes: a mode with its flags. See set_mempolicy(2)."""
    words = [0] * (max(nodes, default=0) // _WORD_BITS + 1)
    for node in nodes:
        words[node // _WORD_BITS] |= 1 << node % _WORD_BITS
    mask = (ctypes.c_uint64 * len(words))(*words)
    # The kernel takes one bit fewer than it is told.
    _set_mempolicy(mode, mask if nodes else None, len(words) * _WORD_BITS + 1 if nodes else 0)
