"""Everything a container may ask for, loaded: for a process that will create many, or be forked by those who do.

A single container of the command line loads what it needs itself. What is forked should find it in shared memory.
"""

from __future__ import annotations

import _blake2  # noqa: F401 - what follows is loaded, not used
import select  # noqa: F401

from wharf.kernel import pidfd, pty, remount, rlimit, seccomp  # noqa: F401
from wharf.kernel.cgroup import measure, v1, v2  # noqa: F401
from wharf.runtime import container, copy_up, embryo, execution, hooks, idmap, neighbour, notify, tuning  # noqa: F401
