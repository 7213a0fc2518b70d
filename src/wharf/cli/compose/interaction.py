"""What goes on beside the output of `up` in the foreground: files are followed, keys are heeded."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import ParamSpec

from wharf.cli.command import Session
from wharf.cli.compose.menu import Menu
from wharf.cli.compose.project import flags_of
from wharf.cli.compose.syncing import Syncing, Watcher
from wharf.cli.compose.up import Convergence
from wharf.cli.flags import Values
from wharf.cli.streams import write_all
from wharf.client.frames import STDOUT
from wharf.compose.execute.logs import Follower
from wharf.compose.execute.observe import containers
from wharf.compose.load.environment import is_on
from wharf.compose.plan.observed import Container
from wharf.errors import InvalidArgument

P = ParamSpec("P")


class Interaction:
    """Files and keys of one `up`."""

    def __init__(self, session: Session, work: Convergence, values: Values, services: list[str]) -> None:
        """Prepare.

        Raises:
            InvalidArgument: files are to be followed, and there are none to follow.
        """
        self._work = work
        self._follower: Follower | None = None
        self._wanted: Callable[[Container], bool] = lambda _: False
        self._changes = 0
        self._watch = values.on("watch")
        syncing = Syncing(session, work, services, self._say, quiet=values.on("quiet-build"))
        self._watcher = Watcher(syncing, self._say, self._meanwhile)
        if self._watch and not self._watcher.useful:
            raise InvalidArgument("none of the services has a develop.watch: nothing to follow")
        wanted = wants_menu(values, flags_of(session), os.environ.get("COMPOSE_MENU"))
        self._menu: Menu | None = None
        if wanted and sys.stdin.isatty() and sys.stdout.isatty():
            self._menu = Menu(sys.stdin.fileno(), STDOUT, self._watcher, self._wake)

    @property
    def detached(self) -> bool:
        """Whether the user left, and wants all to go on."""
        return self._menu is not None and self._menu.detached

    @property
    def busy(self) -> bool:
        """Whether a change is being brought: what stops then comes back."""
        return self._changes > 0

    def above(self, write: Callable[P, None]) -> Callable[P, None]:
        """Return ``write`` so that what it writes is above the menu."""
        menu = self._menu
        if menu is None:
            return write

        def writing(*args: P.args, **kwargs: P.kwargs) -> None:
            with menu.away():
                write(*args, **kwargs)

        return writing

    def follow(self, follower: Follower, wanted: Callable[[Container], bool]) -> None:
        """Say who shows the output, and whose."""
        self._follower, self._wanted = follower, wanted

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Follow files and heed keys for a while.

        Raises:
            WharfError: what was to be there at first could not be brought.
        """
        with ExitStack() as stack:
            if self._menu is not None:
                stack.enter_context(self._menu.shown())
            stack.callback(self._watcher.stop)
            if self._watch:
                self._watcher.start()
            yield

    def _say(self, text: str) -> None:
        if self._menu is not None:
            self._menu.say(text)
        else:
            write_all(STDOUT, text.encode() + b"\n")

    def _wake(self) -> None:
        if self._follower is not None:
            self._follower.wake()

    @contextmanager
    def _meanwhile(self) -> Iterator[None]:
        self._changes += 1
        try:
            with self._menu.hidden() if self._menu is not None else nullcontext():
                yield
            if self._follower is not None:
                self._follower.wait_until_alive(self._running)
        finally:
            self._changes -= 1
            self._wake()

    def _running(self) -> set[str]:
        found = containers(self._work.engine, self._work.project.name)
        return {one.id for one in found if one.running and self._wanted(one)}


def wants_menu(values: Values, flags: Values, variable: str | None) -> bool:
    """Return whether keys are to be heeded, where there is a terminal: by the flag, the variable, or as is usual.

    Args:
        values: Of the command.
        flags: Before the command.
        variable: ``COMPOSE_MENU``; None where it is not set.
    """
    if flags.text("progress") == "plain":
        return False
    if values.given("menu"):
        return values.on("menu")
    return variable is None or is_on(variable)
