"""The keys of `up` on a terminal: d detaches, w switches the watching of files; a last line says so.

Docker compose's further keys, v and o, open windows of Docker Desktop, which is not there.
"""

from __future__ import annotations

import os
import select
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from wharf.cli.streams import write_all
from wharf.errors import WharfError

_CLEAR, _BOLD, _FAINT, _PLAIN = b"\r\033[K", "\033[1m", "\033[2m", "\033[0m"


class Switch(Protocol):
    """What the w key switches."""

    @property
    def watching(self) -> bool:
        """Whether it is on."""
        ...

    @property
    def useful(self) -> bool:
        """Whether there is anything to watch."""
        ...

    def start(self) -> None:
        """Switch it on."""
        ...

    def stop(self) -> None:
        """Switch it off."""
        ...


def menu_line(*, watching: bool) -> str:
    """Return the last line."""
    keys = (("w", "Disable Watch" if watching else "Enable Watch"), ("d", "Detach"))
    return "   ".join(f"{_BOLD}{key}{_PLAIN}{_FAINT} {what}{_PLAIN}" for key, what in keys)


class Menu:
    """A line below all others, while it is shown; and what keys do."""

    def __init__(self, keyboard: int, screen: int, switch: Switch, on_change: Callable[[], None]) -> None:
        """Prepare.

        Args:
            keyboard: Descriptor of the terminal that keys come from.
            screen: Where the line is written.
            switch: What w switches.
            on_change: Called after a key did something.
        """
        self._keyboard = keyboard
        self._screen = screen
        self._switch = switch
        self._on_change = on_change
        self._lock = threading.Lock()
        self._shown = False
        self._hidden = 0
        self.detached = False

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the line and heed keys for a while; the terminal is given back as it was."""
        before = termios.tcgetattr(self._keyboard)
        mode = termios.tcgetattr(self._keyboard)
        mode[3] &= ~(termios.ICANON | termios.ECHO)  # signals stay the terminal's: Ctrl+C, Ctrl+Z
        termios.tcsetattr(self._keyboard, termios.TCSADRAIN, mode)
        enough = os.eventfd(0, os.EFD_CLOEXEC)
        heeding = threading.Thread(target=self._heed, args=(enough,), daemon=True)
        heeding.start()
        self._show(shown=True)
        try:
            yield
        finally:
            os.eventfd_write(enough, 1)
            heeding.join()
            os.close(enough)
            self._show(shown=False)
            with suppress(termios.error):  # the terminal has gone
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, before)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take the line away while a line is written above; others who write wait."""
        with self._lock:
            self._clear()
            try:
                yield
            finally:
                self._draw()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Do without the line for longer; nobody waits."""
        self._show(hidden=1)
        try:
            yield
        finally:
            self._show(hidden=-1)

    def _show(self, *, shown: bool | None = None, hidden: int = 0) -> None:
        with self._lock:
            self._clear()
            self._shown = self._shown if shown is None else shown
            self._hidden += hidden
            self._draw()

    def _clear(self) -> None:
        if self._shown and not self._hidden:
            write_all(self._screen, _CLEAR)

    def _draw(self) -> None:
        if self._shown and not self._hidden:
            write_all(self._screen, _CLEAR + menu_line(watching=self._switch.watching).encode())

    def say(self, text: str) -> None:
        """Write a line above."""
        with self.away():
            write_all(self._screen, text.encode() + b"\n")

    def _heed(self, enough: int) -> None:
        poll = select.poll()
        for descriptor in (self._keyboard, enough):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            try:
                key = os.read(self._keyboard, 1) if enough not in ready else b""
            except OSError:
                key = b""
            if not key:
                return  # the terminal has gone, or it is over
            self.press(key)

    def press(self, key: bytes) -> None:
        """Do what a key stands for; others do nothing."""
        if key == b"d":
            self.detached = True
        elif key == b"w":
            self._toggle()
        elif key in {b"\n", b"\r"}:
            self.say("")
        self._on_change()

    def _toggle(self) -> None:
        if not self._switch.useful:
            self.say("Watch: none of the services has a develop.watch: nothing to follow")
            return
        try:
            if self._switch.watching:
                self._switch.stop()
                self.say("Watch disabled")
            else:
                self._switch.start()
        except WharfError as error:
            self.say(f"Watch: {error}")
