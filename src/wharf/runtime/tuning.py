"""scheduler, ioPriority, personality, memoryPolicy, execCPUAffinity (config.md "Linux Process", config-linux.md)."""

from __future__ import annotations

import os

from wharf.runtime.errors import during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from wharf.spec.oci_runtime import IOPriority, Linux, MemoryPolicy, Personality, Process, Scheduler

    Step = tuple[str, tuple[int, ...], frozenset[int]]

_MOST_NUMBER: Final = 1 << 16
_LOWEST_IO_LEVEL: Final = 7
_NONE: Final[frozenset[int]] = frozenset()
_WITHOUT_NODES: Final = ("MPOL_DEFAULT", "MPOL_LOCAL")
_WITH_NODES: Final = ("MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY")


class TuningPlan:
    """Steps in order: (function in wharf.kernel.tuning, or "affinity"; its numbers; a set of CPUs or nodes).

    ``initial`` are the CPUs on which a process starts before it is in its control group; empty leaves them.
    """

    __slots__ = ("_kernel", "initial", "steps")

    def __init__(self, steps: list[Step], initial: frozenset[int]) -> None:
        self.steps = steps
        self._kernel: Any = None
        if steps:
            from wharf.kernel import tuning  # noqa: PLC0415 - few want any of it, and init can import nothing any more

            self._kernel = tuning
        self.initial = initial

    def __repr__(self) -> str:
        return f"tuning {self.steps} initial={sorted(self.initial)}"

    def apply(self) -> None:
        """Do the steps, in the process they are for, once it is in its control group.

        Raises:
            StartFailed: the kernel refused.
        """
        for name, numbers, members in self.steps:
            try:
                if name == "affinity":
                    os.sched_setaffinity(0, members)
                elif name == "set_memory_policy":
                    self._kernel.set_memory_policy(numbers[0], set(members))
                else:
                    getattr(self._kernel, name)(*numbers)
            except OSError as error:
                raise during_init(error, f"error setting {_FIELDS[name]}") from error


_FIELDS: Final = {
    "affinity": "execCPUAffinity.final",
    "set_scheduler": "scheduler",
    "set_io_priority": "ioPriority",
    "set_domain": "personality",
    "set_memory_policy": "memoryPolicy",
}


def plan(process: Process, linux: Linux, *, additional: bool = False) -> TuningPlan:
    """Return what to tune.

    Args:
        process: its own part.
        linux: the container's part.
        additional: it is not the container's init, so its CPU affinity counts.

    Raises:
        StartFailed: an unknown word, or a number out of range.
    """
    steps: list[Step] = []
    affinity = process.get("execCPUAffinity") or {}
    initial = members(affinity.get("initial") or "")
    if not additional:
        members(affinity.get("final") or "")  # whoever comes later must find it right
        affinity, initial = {}, _NONE
    if final := affinity.get("final"):
        steps.append(("affinity", (), members(final)))
    if (scheduler := process.get("scheduler")) is not None:
        steps.append(("set_scheduler", _scheduler(scheduler), _NONE))
    if (priority := process.get("ioPriority")) is not None:
        steps.append(("set_io_priority", _io_priority(priority), _NONE))
    if (personality := linux.get("personality")) is not None:
        steps.append(("set_domain", _domain(personality), _NONE))
    if (policy := linux.get("memoryPolicy")) is not None:
        steps.append(("set_memory_policy", *_memory_policy(policy)))
    return TuningPlan(steps, initial)


def members(text: str) -> frozenset[int]:
    """Return the numbers of a list such as "0-3,7".

    Raises:
        StartFailed: it is none.
    """
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, dash, last = part.strip().partition("-")
        numbers = first.isdigit() and (last.isdigit() or not dash)
        if not (numbers and int(first) <= int(last or first) < _MOST_NUMBER):
            raise invalid(f'"{text}" is not a list of numbers such as "0-3,7"')
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _scheduler(scheduler: Scheduler) -> tuple[int, ...]:
    from wharf.kernel.tuning import POLICIES, SCHEDULER_FLAGS  # noqa: PLC0415 - few want it

    policy = _one_of(POLICIES, scheduler.get("policy", ""), "scheduler policy")
    flags = sum(_one_of(SCHEDULER_FLAGS, flag, "scheduler flag") for flag in scheduler.get("flags") or ())
    deadline = (scheduler.get("runtime", 0), scheduler.get("deadline", 0), scheduler.get("period", 0))
    if any(deadline) and scheduler.get("policy") != "SCHED_DEADLINE":
        raise invalid("scheduler runtime, deadline and period are for SCHED_DEADLINE alone")
    return (policy, flags, scheduler.get("nice", 0), scheduler.get("priority", 0), *deadline)


def _io_priority(priority: IOPriority) -> tuple[int, ...]:
    from wharf.kernel.tuning import IO_CLASSES  # noqa: PLC0415 - few want it

    level = priority.get("priority", 0)
    if not 0 <= level <= _LOWEST_IO_LEVEL:
        raise invalid(f"invalid ioPriority.priority: {level}: it is from 0 to {_LOWEST_IO_LEVEL}")
    return _one_of(IO_CLASSES, priority.get("class", ""), "ioPriority.class"), level


def _domain(personality: Personality) -> tuple[int, ...]:
    from wharf.kernel.tuning import DOMAINS  # noqa: PLC0415 - few want it

    if flags := personality.get("flags"):
        raise invalid(f"personality flag {flags[0]} is not supported")
    return (_one_of(DOMAINS, personality.get("domain", ""), "personality domain"),)


def _memory_policy(policy: MemoryPolicy) -> tuple[tuple[int, ...], frozenset[int]]:
    from wharf.kernel.tuning import MEMORY_FLAGS, MEMORY_MODES  # noqa: PLC0415 - few want it

    name = policy.get("mode", "")
    mode = _one_of(MEMORY_MODES, name, "memoryPolicy mode")
    flags = sum(_one_of(MEMORY_FLAGS, flag, "memoryPolicy flag") for flag in policy.get("flags") or ())
    nodes = members(policy.get("nodes") or "")
    if nodes and name in _WITHOUT_NODES:
        raise invalid(f"memoryPolicy mode {name} takes no nodes")
    if not nodes and name in _WITH_NODES:
        raise invalid(f"memoryPolicy mode {name} needs nodes")
    return (mode | flags,), nodes


def _one_of(known: Mapping[str, int], name: str, what: str) -> int:
    if name not in known:
        raise invalid(f'invalid {what} "{name}"')
    return known[name]
