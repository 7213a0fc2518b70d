"""pidfd: a descriptor that means one process for good, also after its id is used again (pidfd_open(2), 5.3+)."""

from __future__ import annotations

import os

from wharf.kernel.signals import raw as signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MILLISECONDS: Final = 1000


def pidfd_open(pid: int) -> int:
    """Return a close-on-exec descriptor of process ``pid``, owned by the caller; ESRCH when there is none."""
    return os.pidfd_open(pid)


def send_signal(pidfd: int, number: int) -> None:
    """Send signal ``number`` (0: only ask whether it may); ProcessLookupError when the process is gone."""
    signal.pidfd_send_signal(pidfd, number)


def has_exited(pidfd: int, timeout_s: float = 0) -> bool:
    """Return whether the process has exited, after waiting ``timeout_s`` at most; any process, not only children."""
    import select  # noqa: PLC0415 - start-up: few commands wait for somebody else's process

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(timeout_s * _MILLISECONDS))
