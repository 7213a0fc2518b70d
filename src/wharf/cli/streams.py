"""Copy between this process's stdio and a hijacked stream until it ends, with detach keys, signals and resizes.

One thread and one poll: what happens is decided in the order in which it arrives.
"""

from __future__ import annotations

import errno
import os
import select
import signal

from wharf.client.frames import ERROR, STDERR, STDOUT, Demultiplexer
from wharf.errors import WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType
    from typing import Self

    from wharf.client.http1 import Wire

_CHUNK = 65536
# Signals that are about this process alone; SIGPIPE and SIGURG as docker leaves them out.
_OWN = frozenset({
    signal.SIGCHLD, signal.SIGPIPE, signal.SIGURG, signal.SIGWINCH, signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP,
    signal.SIGTTIN, signal.SIGTTOU, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP,
    signal.SIGABRT, signal.SIGCONT,
})  # fmt: skip


class DetachKeys:
    """Finds the detach sequence in what is typed. Keys that may begin it are held back until it is known."""

    def __init__(self, sequence: bytes) -> None:
        self._sequence = sequence
        self._held = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return (what goes on to the container, whether the sequence is complete)."""
        if not self._sequence:
            return data, False
        out = bytearray()
        for byte in data:
            if byte == self._sequence[self._held]:
                self._held += 1
                if self._held == len(self._sequence):
                    self._held = 0
                    return bytes(out), True
                continue
            out += self._sequence[: self._held]
            self._held = 0
            if byte == self._sequence[0]:
                self._held = 1
            else:
                out.append(byte)
        return bytes(out), False


def parse_keys(text: str) -> bytes:
    """Return the bytes of a sequence such as ``ctrl-p,ctrl-q``; the default for no text.

    Raises:
        InvalidArgument: it names no key.
    """
    from wharf.lib.detach_keys import parse_detach_keys  # noqa: PLC0415  # only with a terminal

    return bytes(parse_detach_keys(text))


class Signals:
    """Signals as readable bytes on a pipe, for a while; what they did before comes back after."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = list(numbers)
        self._before: dict[int, object] = {}
        self.descriptor = -1
        self._writer = -1

    def __enter__(self) -> Self:
        self.descriptor, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self._numbers:
            self._before[number] = signal.signal(number, _noted)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself returned
        signal.set_wakeup_fd(-1)
        os.close(self.descriptor)
        os.close(self._writer)

    def read(self) -> bytes:
        """Return the numbers of the signals that came, a byte each."""
        try:
            return os.read(self.descriptor, 64)
        except BlockingIOError:
            return b""


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up descriptor has the number."""


def forwarded_signals() -> list[int]:
    """Return the signals that a container in the foreground gets instead of us."""
    return sorted(int(number) for number in signal.valid_signals() if number not in _OWN and number < 32)


class Conversation:
    """Stdio and one stream, copied until the stream ends or the user detaches."""

    def __init__(
        self,
        wire: Wire,
        *,
        stdin: bool,
        tty: bool,
        detach_keys: bytes = b"",
        on_signal: Callable[[int], None] | None = None,
    ) -> None:
        """Prepare to copy.

        Args:
            wire: The stream; stays the caller's.
            stdin: Whether our stdin goes to the container.
            tty: Whether the stream is a terminal's (raw) or framed.
            detach_keys: The sequence that ends this without stopping the container; empty for none.
            on_signal: What to do with a signal that came.
        """
        self._wire = wire
        self._stdin = stdin
        self._frames = None if tty else Demultiplexer()
        self._keys = DetachKeys(detach_keys)
        self._on_signal = on_signal
        self._unsent = b""
        self.detached = False

    def run(self, signals: Signals) -> None:
        """Copy until the end.

        Raises:
            WharfError: the engine reports a failure in the stream.
        """
        alive = not self._wire.pending() or self._output()
        while alive and not self.detached:
            ready = self._ready(signals)
            if signals.descriptor in ready:
                self._pass_signals(signals)
            if 0 in ready:
                self._input()
            wire = ready.get(self._wire.fileno(), 0)
            if wire & select.POLLOUT:
                self._send()
            if wire & ~select.POLLOUT:
                alive = self._output()

    def _ready(self, signals: Signals) -> dict[int, int]:
        """Wait for something to do; return which descriptors are ready, and for what.

        No more is taken in while some is unsent, and nothing waits for it to be sent: a container that writes before
        it reads on would wait for us.
        """
        poll = select.poll()
        poll.register(self._wire.fileno(), select.POLLIN | (select.POLLOUT if self._unsent else 0))
        poll.register(signals.descriptor, select.POLLIN)
        if self._stdin and not self._unsent:
            poll.register(0, select.POLLIN)
        return dict(poll.poll())

    def _pass_signals(self, signals: Signals) -> None:
        for number in signals.read():
            if self._on_signal is not None:
                self._on_signal(number)

    def _input(self) -> None:
        """Take in what is on stdin."""
        try:
            data = os.read(0, _CHUNK)
        except OSError as error:
            if error.errno != errno.EIO:  # our terminal has gone
                raise
            data = b""
        if not data:
            self._end_input()
            return
        self._unsent, self.detached = self._keys.feed(data)
        self._send()

    def _send(self) -> None:
        """Send what can be sent of it."""
        try:
            self._unsent = self._unsent[self._wire.send_some(self._unsent) :] if self._unsent else b""
        except (BrokenPipeError, ConnectionResetError):
            self._unsent, self._stdin = b"", False  # the container no longer reads; its output is still to come

    def _end_input(self) -> None:
        self._stdin = False
        try:
            self._wire.finish_sending()
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise

    def _output(self) -> bool:
        """Write what came; return False at the end of the stream."""
        try:
            data = self._wire.read_some(_CHUNK)
        except ConnectionResetError:
            return False
        if self._frames is None:
            write_all(STDOUT, data)
        else:
            for stream, piece in self._frames.feed(data):
                write_piece(stream, piece)
        return bool(data)


def write_piece(stream: int, piece: bytes) -> None:
    """Write a piece of a multiplexed stream to our stdout or stderr.

    Raises:
        WharfError: the piece is the engine's own report of a failure.
    """
    if stream == ERROR:
        raise WharfError(f"error from daemon in stream: {piece.decode('utf-8', 'replace')}")
    write_all(STDERR if stream == STDERR else STDOUT, piece)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, waiting where the descriptor does not block by itself."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
