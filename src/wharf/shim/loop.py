"""A single-threaded event loop on epoll: descriptors and timers call back, nothing more."""

from __future__ import annotations

import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    OnEvents = Callable[[int], None]

IN, OUT, HUP, ERR, PRI = select.EPOLLIN, select.EPOLLOUT, select.EPOLLHUP, select.EPOLLERR, select.EPOLLPRI


class Loop:
    """Calls back until stopped. A callback may be called without cause: all descriptors must be non-blocking."""

    __slots__ = ("_callbacks", "_epoll", "_stopped", "_timers")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, OnEvents] = {}
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._stopped = False

    def watch(self, fd: int, events: int, callback: OnEvents) -> None:
        """Call ``callback(events)`` when one of ``events`` (or HUP, ERR) is so; a second time replaces the first."""
        if fd in self._callbacks:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = callback

    def unwatch(self, fd: int) -> None:
        """Stop watching; to be called before the descriptor is closed. Idempotent."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, ``seconds`` from now."""
        self._timers.append((time.monotonic() + seconds, callback))

    def stop(self) -> None:
        """Make :meth:`run` return after the present round."""
        self._stopped = True

    def run(self) -> None:
        """Call back until :meth:`stop`."""
        while not self._stopped:
            for fd, events in self._epoll.poll(self._patience_s()):
                if callback := self._callbacks.get(fd):  # an earlier callback of this round may have closed it
                    callback(events)
            self._run_timers()

    def _patience_s(self) -> float | None:
        if not self._timers:
            return None
        return max(0.0, min(due for due, _ in self._timers) - time.monotonic())

    def _run_timers(self) -> None:
        if not self._timers:
            return
        now = time.monotonic()
        due = [timer for timer in self._timers if timer[0] <= now]
        self._timers = [timer for timer in self._timers if timer[0] > now]
        for _, callback in due:
            callback()
