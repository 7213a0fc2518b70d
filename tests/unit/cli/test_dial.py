from __future__ import annotations

import os
import socket
import threading

from wharf.cli.dial import relay
from wharf.client.http1 import Wire


def test_bytes_go_both_ways_and_the_end_of_input_ends_one() -> None:
    near, far = socket.socketpair()
    source, typed = os.pipe()
    shown, sink = os.pipe()
    os.write(typed, b"question")
    os.close(typed)

    def answer() -> None:
        asked = b"".join(iter(lambda: far.recv(100), b""))
        far.sendall(b"answer to " + asked)
        far.close()

    engine = threading.Thread(target=answer)
    engine.start()
    relay(Wire(near), source, sink)
    engine.join(60)

    assert os.read(shown, 100) == b"answer to question"
    for descriptor in (source, shown, sink):
        os.close(descriptor)
    near.close()
