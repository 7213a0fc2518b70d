"""The streams of one process, the container's or an exec's: its pipes or its terminal, its clients, its log.

::

    clients ──stdin──▶ Input ──▶ pipe or terminal ──▶ process
    clients ◀── frames or raw bytes ──┬── Streams ◀── pipes or terminal ──┘
       log ◀───────── records ────────┘
"""

from __future__ import annotations

import errno
import os

from wharf.lib.stdcopy import STDERR, STDOUT
from wharf.shim import loop as events
from wharf.shim.clients import STALL_S, Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from collections.abc import Callable

    from wharf.shim.logfile import LogFile
    from wharf.shim.loop import Loop
    from wharf.spec.shim_messages import Attachment

_PIECE_BYTES = 32 * 1024
_DRAIN_BYTES = 4 << 20  # more than any pipe holds: a stranger who goes on writing does not keep us
_LARGEST_PIPE_BYTES = 1 << 20  # without privileges (pipe(7), pipe-max-size)
_LOOK_S = 5.0  # for a disk with room again, of which nobody tells; of a delivery engines do
_NAMES = {STDOUT: "stdout", STDERR: "stderr"}


class Input:
    """What goes to a process: bytes wait here while it does not read."""

    __slots__ = ("_ending", "_fd", "_loop", "_on_room", "_waiting")

    def __init__(self, loop: Loop, fd: int, on_room: Callable[[], None]) -> None:
        """Take over ``fd``; ``on_room`` is called when nothing waits any more."""
        self._loop = loop
        self._fd = fd
        self._waiting = bytearray()
        self._ending = False
        self._on_room = on_room
        os.set_blocking(fd, False)  # os's own signature

    @property
    def full(self) -> bool:
        """Whether clients must wait."""
        return bool(self._waiting)

    def write(self, data: bytes) -> None:
        """Write now or when there is room; lost when the process has closed its end."""
        if self._fd < 0 or self._ending:
            return
        self._waiting += data
        self._flush()

    def end(self) -> None:
        """Close once all is written."""
        self._ending = True
        if not self._waiting:
            self.close()

    def close(self) -> None:
        """Close at once; idempotent."""
        if self._fd >= 0:
            self._loop.unwatch(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _on_events(self, _events: int) -> None:
        self._flush()
        if not self._waiting:
            self._on_room()

    def _flush(self) -> None:
        while self._waiting:
            try:
                written = os.write(self._fd, self._waiting)
            except BlockingIOError:
                self._loop.watch(self._fd, events.OUT, self._on_events)
                return
            except OSError as error:
                if error.errno not in {errno.EPIPE, errno.EIO}:
                    raise
                self._waiting.clear()  # nobody will read it
                self.close()
                return
            del self._waiting[:written]
        self._loop.unwatch(self._fd)
        if self._ending:
            self.close()


class Streams:
    """Owns our ends of a process's streams, and its clients."""

    __slots__ = (
        "_abandoned",
        "_clients",
        "_input",
        "_log",
        "_looking",
        "_loop",
        "_outputs",
        "_paused",
        "_raw",
        "_theirs",
        "on_empty",
        "once",
    )

    def __init__(
        self,
        loop: Loop,
        log: LogFile | None = None,
        *,
        once: bool = False,
        abandoned: Callable[[], object] | None = None,
    ) -> None:
        """Begin without any descriptor; see :meth:`open_pipes` and :meth:`take_terminal`.

        Args:
            loop: where descriptors are watched.
            log: where output goes besides; closed by :meth:`finish`.
            once: end the process's input when a client that had it has no more.
            abandoned: called when a client that holds the container has gone before its end.
        """
        self._abandoned = abandoned
        self._loop = loop
        self._log = log
        self._clients: list[Client] = []
        self._input: Input | None = None
        self._outputs: dict[int, int] = {}  # our descriptor → stream
        self._theirs: list[int] = []
        self._raw = False
        self._paused = False
        self._looking = False  # whether a timer is set
        self.once = once
        self.on_empty: Callable[[], None] | None = None

    def open_pipes(self, owner: tuple[int, int] | None = None, *, stdin: bool) -> tuple[int, int, int]:
        """Make the pipes and return the process's ends (stdin, stdout, stderr), closed by :meth:`started`.

        ``owner``: whose they are (uid, gid); None: ours. A user namespace's root could neither open /dev/stdout again
        nor give it to another of its users, were it the machine's root's.
        """
        if stdin:
            theirs, ours = os.pipe2(os.O_CLOEXEC)
            self._input = Input(self._loop, ours, self._on_room)
        else:
            theirs = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self._theirs.append(theirs)
        for stream in (STDOUT, STDERR):
            ours, theirs = os.pipe2(os.O_CLOEXEC)
            self._theirs.append(theirs)
            self._outputs[ours] = stream
        if owner is not None:
            for fd in self._theirs[0 if stdin else 1 :]:
                os.fchown(fd, *owner)
        return self._theirs[0], self._theirs[1], self._theirs[2]

    def take_terminal(self, master: int, *, stdin: bool) -> None:
        """Take over the master of the process's terminal."""
        self._raw = True
        self._outputs[master] = STDOUT
        if stdin:
            self._input = Input(self._loop, os.dup(master), self._on_room)

    @property
    def terminal(self) -> int | None:
        """The master of the terminal, or None without one, or after its end."""
        return next(iter(self._outputs), None) if self._raw else None

    def started(self) -> None:
        """Give up the process's ends, which it has now, and begin to read ours."""
        self._close_theirs()
        for fd in self._outputs:
            os.set_blocking(fd, False)  # os's own signature
        if self._held:
            self._pause()  # by what was not delivered of an earlier run
        else:
            self._watch()

    def attach(self, sock: socket.socket, attachment: Attachment) -> None:
        """Add a client, which sees what comes from now on; takes over its socket."""
        client = Client(self._loop, self, sock, attachment)
        self._clients.append(client)
        if self._input is not None and self._input.full:
            client.pause()

    def typed(self, data: bytes) -> None:
        """Pass a client's input on."""
        if self._input is None:
            return
        self._input.write(data)
        if self._input.full:
            for client in self._clients:
                client.pause()

    def typed_all(self, client: Client) -> None:
        """A client has no more input. Docker's stdin-once does not apply to terminals."""
        del client
        if self.once and self._input is not None and not self._raw:
            self._input.end()

    def left(self, client: Client) -> None:
        """A client has gone."""
        if client in self._clients:
            self._clients.remove(client)
        if client.abandons and self._abandoned is not None:
            self._abandoned()
        if client.has_stdin:
            self.typed_all(client)
        self.client_moved()
        if self.on_empty and not self._clients:
            self.on_empty()

    def client_moved(self) -> None:
        """Read from the process again if no client is behind any more, and the log neither."""
        if self._paused and not self._held and not any(client.behind for client in self._clients):
            self._paused = False
            self._watch()

    def log_moved(self) -> bool:
        """Read from the process again if the log held it up, and does so no more; return whether it still does."""
        if self._held and self._log is not None:
            self._log.look()
            self.client_moved()
        return self._held

    def take_in(self) -> bool:
        """Read what the process has written so far, unless it is to wait; return whether the log has a record."""
        for fd in self._outputs:
            taken = 0
            while not self._paused and taken < _LARGEST_PIPE_BYTES and (count := self._read(fd)) > 0:
                taken += count
        return self._log is not None and self._log.logged

    def finish(self) -> None:
        """Take what the process has left in its streams, end the log, and let clients go once they have it all."""
        self._close_theirs()
        for fd in list(self._outputs):
            self._drain(fd)
            self._end_output(fd)
        if self._input is not None:
            self._input.close()
        if self._log is not None:
            self._log.close()
        for client in list(self._clients):
            client.end()
        if self._clients:
            self._loop.later(STALL_S, self._cut_stalled)

    @property
    def empty(self) -> bool:
        """Whether no client is attached."""
        return not self._clients

    def _reader(self, fd: int) -> Callable[[int], None]:
        def on_events(_events: int) -> None:
            if not self._read(fd):
                self._end_output(fd)

        return on_events

    def _read(self, fd: int) -> int:
        """Read once and pass it on; return how much, -1 for nothing at present, 0 at the end."""
        try:
            data = os.read(fd, _PIECE_BYTES)
        except BlockingIOError:
            return -1
        except OSError as error:
            if error.errno != errno.EIO:  # how a terminal says that nobody has it open
                raise
            return 0
        if data:
            self._publish(self._outputs[fd], data)
        return len(data)

    def _publish(self, stream: int, data: bytes) -> None:
        if self._log is not None:
            self._log.write(stream, data)
        for client in list(self._clients):
            client.send(_NAMES[stream], stream, data, raw=self._raw)
        if not self._paused and (self._held or any(client.full for client in self._clients)):
            self._pause()

    @property
    def _held(self) -> bool:
        return self._log is not None and self._log.held

    def _watch(self) -> None:
        for fd in self._outputs:
            self._loop.watch(fd, events.IN, self._reader(fd))

    def _pause(self) -> None:
        self._paused = True
        for fd in self._outputs:
            self._loop.unwatch(fd)
        if self._clients:
            self._loop.later(STALL_S, self._cut_stalled)
        self._look_later()

    def _look_later(self) -> None:
        if self._held and not self._looking:
            self._looking = True
            self._loop.later(_LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = False
        self.log_moved()
        self._look_later()

    def _cut_stalled(self) -> None:
        for client in list(self._clients):
            if client.stalled:
                client.close()
        if self._clients and (self._paused or not self._outputs):
            self._loop.later(STALL_S / 4, self._cut_stalled)

    def _drain(self, fd: int) -> None:
        os.set_blocking(fd, False)  # os's own signature
        taken = 0
        while taken < _DRAIN_BYTES and (count := self._read(fd)) > 0:
            taken += count

    def _end_output(self, fd: int) -> None:
        self._loop.unwatch(fd)
        stream = self._outputs.pop(fd)
        os.close(fd)
        if self._log is not None:
            self._log.end(stream)

    def _on_room(self) -> None:
        for client in list(self._clients):
            client.resume()

    def _close_theirs(self) -> None:
        while self._theirs:
            os.close(self._theirs.pop())
