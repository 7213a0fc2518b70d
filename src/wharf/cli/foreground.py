"""A container or an exec in the foreground: its terminal is ours until it ends or the user detaches."""

from __future__ import annotations

import contextlib
import os
import signal

from wharf.cli.streams import Conversation, Signals, forwarded_signals, parse_keys
from wharf.cli.terminal import RawTerminal, size_of
from wharf.errors import InvalidArgument, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.client.http1 import Wire


def check_tty(*, stdin: bool, tty: bool) -> None:
    """Refuse a terminal for a container when our own input is none (docker's words).

    Raises:
        InvalidArgument: stdin is to be attached to a terminal and is not one.
    """
    if stdin and tty and not os.isatty(0):
        raise InvalidArgument("the input device is not a TTY")


class Foreground:
    """What a container or exec in the foreground needs to know about our side."""

    def __init__(
        self,
        *,
        stdin: bool,
        tty: bool,
        detach_keys: str = "",
        forward: Callable[[str], None] | None = None,
        resize: Callable[[int, int], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            stdin: Whether our stdin goes to it.
            tty: Whether it has a terminal.
            detach_keys: The user's sequence; empty for the default.
            forward: Sends a signal, by name, to it; None to keep signals for ourselves.
            resize: Tells it the rows and columns.

        Raises:
            InvalidArgument: the sequence names no key.
        """
        self._stdin = stdin
        self._tty = tty
        # Only a terminal's user can detach by keys: in a pipe they are data.
        self._keys = parse_keys(detach_keys) if stdin and tty else b""
        self._forward = forward
        self._resize = resize

    def resize(self) -> None:
        """Tell the container's terminal our size, when both sides have one."""
        rows, columns = size_of(1)
        if not (self._tty and self._resize and rows):
            return
        with contextlib.suppress(WharfError):  # it may not run yet, or no more: the next change tells it again
            self._resize(rows, columns)

    def converse(self, wire: Wire, begin: Callable[[], None] | None = None) -> bool:
        """Copy until the stream ends; return whether the user detached.

        Args:
            wire: The stream; closed at the end.
            begin: Done first, with signals already caught: starts the container.
        """
        numbers = set(forwarded_signals() if self._forward else ())
        if self._tty:
            numbers.add(signal.SIGWINCH)
        raw = RawTerminal(0) if self._stdin and self._tty and os.isatty(0) else contextlib.nullcontext()
        conversation = Conversation(
            wire, stdin=self._stdin, tty=self._tty, detach_keys=self._keys, on_signal=self._on_signal
        )
        try:
            with Signals(numbers) as signals, raw:
                if begin is not None:
                    begin()
                self.resize()
                conversation.run(signals)
        finally:
            wire.close()
        return conversation.detached

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGWINCH:
            self.resize()
        elif self._forward is not None:
            with contextlib.suppress(WharfError):  # the container has just ended: the signal came too late
                self._forward(signal.Signals(number).name.removeprefix("SIG"))
