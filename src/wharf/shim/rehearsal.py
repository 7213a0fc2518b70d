"""What a shim does once it has a request, done by the spare to no effect while nobody waits for it.

A page that a forked Python shares with its parent is copied when it is first written to, and merely to use an object
writes to it. Each costs some 2 µs, and a start would pay for hundreds, one after the other.
"""

from __future__ import annotations

import os
import time

from wharf.kernel import sockets, unix_socket
from wharf.lib import light_json
from wharf.lib.timestamps import rfc3339_nano
from wharf.runtime import conversation
from wharf.shim import orders
from wharf.shim.control import Connection
from wharf.shim.streams import Streams
from wharf.spec.shim_wire import MAX_MESSAGE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.shim.control import Control
    from wharf.shim.loop import Loop
    from wharf.spec.shim_messages import Event

_STEPS: Final = {"plan": 1, "ready": 2}


class _Nobody:
    """Stands for all connections; there is one, and it is not missed."""

    def lost(self, _connection: Connection) -> None:
        """Forget it."""


def rehearse(loop: Loop) -> None:
    """Go through a start and an end; afterwards all is as before, but for the memory that is this process's own."""
    _talk_to_engine(loop)
    _talk_to_init()
    _stream(loop)


def _talk_to_engine(loop: Loop) -> None:
    here, there = unix_socket.pair()
    sockets.send(there, {"op": "world", "binds": 1, "joined": ["network"]}, [0, 0])
    _, fds = orders.receive(here, "world")
    orders.close(fds)
    nobody: Control = _Nobody()  # type: ignore[assignment]  # all that a connection asks of it when it ends
    connection = Connection(nobody, loop, here)
    event: Event = {"event": "started", "pid": 1, "started_at": rfc3339_nano(time.time_ns()), "steps_us": _STEPS}
    connection.send(event)
    sockets.receive(there, MAX_MESSAGE_BYTES)
    connection.close()
    there.close()
    light_json.dumps({"pid": 1, "exit_code": 0, "oom_killed": False, "finished_at": event["started_at"]})


def _talk_to_init() -> None:
    here, there = unix_socket.pair()
    conversation.send(here, "world", "1", conversation.steps_to_field(_STEPS), fds=[0])
    fields, fds = conversation.receive(there)
    conversation.steps_from_field(fields[2])
    orders.close(fds)
    here.close()
    unix_socket.wait_for_end(there)
    there.close()


def _stream(loop: Loop) -> None:
    streams = Streams(loop)
    _, out, _ = streams.open_pipes(stdin=False)
    os.write(out, b"\n")
    streams.started()
    streams.finish()
