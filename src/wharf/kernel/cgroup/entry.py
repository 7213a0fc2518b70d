"""How a process gets into a group at no cost: through doors that are opened before."""

from __future__ import annotations

import os


class Entry:
    """Open doors into a group, for a process that is about to be cloned.

    Attributes:
        v2: descriptor of the unified group's folder, for clone3's CLONE_INTO_CGROUP; -1 without one.
        v1: descriptors of ``tasks`` files: the new process writes b"0" to each, while it has one thread.
    """

    __slots__ = ("v1", "v2")

    def __init__(self, v1: list[int], v2: int) -> None:
        self.v1 = v1
        self.v2 = v2

    def enter_v1(self) -> None:
        """Move the calling process into the v1 groups (not v2's); works in any namespace and mount tree.

        Raises:
            OSError: EINVAL: realtime process without realtime runtime; ENOSPC: a cpuset without cpus or mems.
        """
        for fd in self.v1:
            os.write(fd, b"0")

    def close(self) -> None:
        """Close the descriptors; idempotent."""
        while self.v1:
            os.close(self.v1.pop())
        if self.v2 >= 0:
            os.close(self.v2)
            self.v2 = -1
