"""`up` in the foreground: the containers' output until they end, or until the user has had enough."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from wharf.cli.command import Session
from wharf.cli.compose.interaction import Interaction
from wharf.compose.execute.logs import Follower
from wharf.compose.plan.observed import Container

INTERRUPTED = 130


@dataclass(slots=True)
class Ends:
    """What an end of a container means."""

    abort: bool = False  # the others are stopped with the first
    abort_on_failure: bool = False  # the same, if it failed
    code_from: str = ""  # the service whose exit code is ours
    codes: dict[str, int] = field(default_factory=dict)  # service -> exit code of its last end
    over: bool = False

    def note(self, one: Container, code: int) -> None:
        """Note an end; those that follow when it is over are of our own making, and count for ``code_from`` alone."""
        if not self.over or one.service == self.code_from:
            self.codes[one.service] = code
            self.over = self.over or self.abort or (self.abort_on_failure and code != 0)

    @property
    def code(self) -> int:
        """The exit code of the whole."""
        if self.code_from:
            return self.codes.get(self.code_from, 0)
        return next((code for code in self.codes.values() if code), 0) if self.over else 0


def telling(say: Callable[[Container, int], None], ends: Ends) -> Callable[[Container, int], None]:
    """Return what to do when a container ends: say so, and note it."""

    def ended(one: Container, code: int) -> None:
        say(one, code)
        ends.note(one, code)

    return ended


@dataclass(frozen=True, slots=True)
class Doings:
    """What the foreground does with all containers."""

    start: Callable[[], None]
    beside: Interaction  # what goes on while all run
    stop: Callable[[], None]
    kill: Callable[[], None]


def until_over(session: Session, follower: Follower, ends: Ends, doings: Doings) -> int:
    """Start all, wait until all have ended, and return the exit code.

    An interrupt (or SIGTERM) stops them, also one that comes while they start; a second one kills them.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        doings.start()
        beside = doings.beside
        with beside.going_on():
            follower.wait_for_all(lambda: ends.over or beside.detached, held=lambda: beside.busy)
        if beside.detached:
            return 0
        if ends.over:
            doings.stop()
            follower.wait_for_all()
    except KeyboardInterrupt:
        session.warn("Gracefully stopping... (press Ctrl+C again to force)")
        try:
            doings.stop()
            follower.wait_for_all()
        except KeyboardInterrupt:
            doings.kill()
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    return ends.code
