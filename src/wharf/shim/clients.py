"""One attached client: what it is owed, and what it types.

A client that reads slowly holds up the container's output, as in Docker: when more than a megabyte waits for it, the
shim reads no more from the container until half of that is gone. Unlike in Docker it cannot do so for ever: a client
that takes nothing for a minute while so much waits is cut off, unless the container is its own.
"""

from __future__ import annotations

import _socket as socket
import time

from wharf.lib.stdcopy import frame
from wharf.shim import loop as events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.shim.loop import Loop
    from wharf.shim.streams import Streams
    from wharf.spec.shim_messages import Attachment

FULL_BYTES = 1 << 20
STALL_S = 60.0
_PIECE_BYTES = 64 * 1024


class DetachKeys:
    """Looks for a key sequence in what is typed."""

    __slots__ = ("_keys", "_matched")

    def __init__(self, keys: list[int]) -> None:
        self._keys = bytes(keys)
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return what goes on to the container, and whether the sequence is complete.

        The beginning of a sequence is held back until it is complete or broken.
        """
        if not self._keys:
            return data, False
        out = bytearray()
        for byte in data:
            if byte == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    self._matched = 0
                    return bytes(out), True
                continue
            out += self._keys[: self._matched]
            self._matched = 0
            if byte == self._keys[0] and len(self._keys) > 1:
                self._matched = 1
            else:
                out.append(byte)
        return bytes(out), False


class Client:
    """A client of one process's streams; owns its socket."""

    __slots__ = ("_detach", "_ending", "_loop", "_moved_at", "_owed", "_reading", "_sock", "_streams", "_wants")

    def __init__(self, loop: Loop, streams: Streams, sock: socket.socket, attachment: Attachment) -> None:
        self._loop = loop
        self._streams = streams
        self._sock = sock
        self._wants = attachment
        self._detach = DetachKeys(attachment.get("detach_keys", []))
        self._owed = bytearray()
        self._moved_at = time.monotonic()
        self._reading = attachment["stdin"]
        self._ending = False
        sock.setblocking(False)  # noqa: FBT003  # socket's own signature
        self._watch()

    @property
    def has_stdin(self) -> bool:
        """Whether this client may write to the process."""
        return self._wants["stdin"]

    @property
    def abandons(self) -> bool:
        """Whether the container is this client's own, and has not ended yet."""
        return self._wants.get("holds", False) and not self._ending

    @property
    def full(self) -> bool:
        """Whether so much waits for it that the process must wait."""
        return len(self._owed) >= FULL_BYTES

    @property
    def behind(self) -> bool:
        """Whether it is too early to let a waiting process go on."""
        return len(self._owed) >= FULL_BYTES // 2

    @property
    def stalled(self) -> bool:
        """Whether it has taken nothing of what it is owed for too long."""
        return (
            bool(self._owed) and not self._wants.get("holds", False) and time.monotonic() - self._moved_at > STALL_S
        )

    def send(self, wanted: str, stream: int, data: bytes, *, raw: bool) -> None:
        """Give it output, if it takes part in ``wanted`` (stdout or stderr)."""
        takes = self._wants["stderr"] if wanted == "stderr" else self._wants["stdout"]
        if not takes:
            return
        if not self._owed:
            self._moved_at = time.monotonic()
        self._owed += data if raw else frame(stream, data)
        self._flush()

    def pause(self) -> None:
        """Read no more from it until :meth:`resume`: the process does not take its input."""
        self._reading = False
        self._watch()

    def resume(self) -> None:
        """Read from it again."""
        if self._wants["stdin"]:
            self._reading = True
            self._watch()

    def end(self) -> None:
        """Close once all that is owed is sent."""
        self._ending = True
        self._flush()

    def close(self) -> None:
        """Close at once; idempotent."""
        if self._sock.fileno() < 0:
            return
        self._loop.unwatch(self._sock.fileno())
        self._sock.close()
        self._streams.left(self)

    def _watch(self) -> None:
        wanted = (events.IN if self._reading else 0) | (events.OUT if self._owed else 0)
        paused = self._wants["stdin"] and not self._reading
        if paused and not self._owed and not self._wants.get("holds", False):
            # A hang-up would be reported for ever; it is seen when reading goes on.
            self._loop.unwatch(self._sock.fileno())
        else:
            self._loop.watch(self._sock.fileno(), wanted, self._on_events)

    def _on_events(self, found: int) -> None:
        if found & events.HUP and self._wants.get("holds", False):
            self.close()  # nobody waits for what it has typed or is owed
            return
        if found & events.OUT:
            self._flush()
        if found & (events.IN | events.HUP) and self._reading and self._sock.fileno() >= 0:
            self._read()
        elif found & (events.HUP | events.ERR):
            self.close()

    def _read(self) -> None:
        try:
            data = self._sock.recv(_PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:  # reset: the same to us as closed
            self.close()
            return
        if not data:
            self._wants = {**self._wants, "stdin": False}
            self._reading = False
            self._streams.typed_all(self)
            if self._sock.fileno() >= 0:
                self._watch()
            return
        typed, detached = self._detach.feed(data)
        if typed:
            self._streams.typed(typed)
        if detached:
            self.close()

    def _flush(self) -> None:
        while self._owed:
            try:
                sent = self._sock.send(self._owed, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                break
            except OSError:  # it has left
                self.close()
                return
            del self._owed[:sent]
            self._moved_at = time.monotonic()
        if self._ending and not self._owed:
            self.close()
            return
        self._watch()
        self._streams.client_moved()
