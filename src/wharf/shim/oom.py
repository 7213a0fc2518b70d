"""Watches a container's lack of memory (cgroup-v1/memory "OOM Control", v2 memory.events)."""

from __future__ import annotations

import os
import sys

from wharf.shim import loop as events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from wharf.shim.loop import Loop

    class Group(Protocol):
        """What ``wharf.kernel.cgroup.group.Cgroup`` is to a watch."""

        def open_oom_watch(self) -> tuple[int, int]:
            """Return a descriptor and the event to poll for."""

        def oom_kill_count(self) -> int:
            """Return how many processes were killed."""


class OomWatch:
    """Calls back when the kernel has killed processes of the group for want of memory."""

    __slots__ = ("_group", "_kills", "_loop", "_on_kill")

    def __init__(self, loop: Loop, group: Group, on_kill: Callable[[], None]) -> None:
        self._loop = loop
        self._group = group
        self._on_kill = on_kill
        self._kills = 0
        try:
            fd, wanted = group.open_oom_watch()
        except OSError as error:  # the last look does not need this
            sys.stderr.write(f"cannot watch for lack of memory: {error}\n")
            return
        loop.watch(fd, wanted, lambda found: self._on_events(fd, found))

    def look(self) -> int:
        """Return the number of kills so far; a watch may be early, so who wants to be sure looks at the end."""
        count = self._group.oom_kill_count()
        if count > self._kills:
            self._kills = count
            self._on_kill()
        return self._kills

    def _on_events(self, fd: int, found: int) -> None:
        try:
            if found & events.IN:
                os.read(fd, 8)
            else:
                os.pread(fd, 4096, 0)
        except BlockingIOError:
            return
        except OSError:  # ENODEV: the group is gone
            self._loop.unwatch(fd)
            return
        self.look()
