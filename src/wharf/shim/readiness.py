"""What makes a process a shim, and depends on no request: a spare does it while it waits for one."""

from __future__ import annotations

import _socket as socket
import os

from wharf.kernel import prctl
from wharf.kernel.signals import raw as signal
from wharf.shim import loop as events
from wharf.shim.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = b"wharf-shim"
_PIECE_BYTES = 4096


class Readiness:
    """A session of its own, the orphans' adoption, and a loop that is told of signals.

    Attributes:
        loop: the process's.
        on_signal: called after signals; their handlers are the zygote's, and do nothing here.
    """

    __slots__ = ("_reader", "loop", "on_signal")

    def __init__(self) -> None:
        os.setsid()
        prctl.set_child_subreaper()
        _name_process()
        self.loop = Loop()
        self.on_signal: Callable[[], None] = lambda: None
        self._reader, writer = socket.socketpair()
        for end in (self._reader, writer):
            end.setblocking(False)  # noqa: FBT003  # socket's own signature
        signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
        self.loop.watch(self._reader.fileno(), events.IN, self._told)

    def _told(self, _events: int) -> None:
        try:
            while self._reader.recv(_PIECE_BYTES):
                pass
        except BlockingIOError:
            self.on_signal()


def _name_process() -> None:
    fd = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, _NAME)
    finally:
        os.close(fd)
