"""``wharf system dial-stdio``: standard input and output become a connection to the engine."""

from __future__ import annotations

import os
import select

from wharf.cli.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.http1 import Wire

_CHUNK_BYTES = 65536


def relay(wire: Wire, source: int, sink: int) -> None:
    """Pass bytes both ways until the engine ends its direction; the end of ``source`` ends only ours."""
    poll = select.poll()
    poll.register(wire.fileno(), select.POLLIN)
    poll.register(source, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(None if not wire.pending() else 0)}
        if wire.fileno() in ready or wire.pending():
            data = wire.read_some()
            if not data:
                return
            while data:
                data = data[os.write(sink, data) :]
        if source in ready:
            data = os.read(source, _CHUNK_BYTES)
            if data:
                wire.send(data)
            else:
                poll.unregister(source)
                wire.finish_sending()


def _dial(session: Session, _: Values, __: list[str]) -> int:
    client = session.client
    wire = client.address.connect()
    try:
        relay(wire, 0, 1)
    finally:
        wire.close()
    return 0


COMMANDS = (
    Command(
        "system dial-stdio",
        _dial,
        "Make standard input and output a connection to the engine",
        examples=("ssh host wharf system dial-stdio",),
    ),
)
