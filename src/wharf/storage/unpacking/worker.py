"""The worker: ``main(fd)`` serves requests from a SOCK_SEQPACKET socket until its other end is closed.

A request carries two descriptors, a pipe with the layer's stored bytes and the folder to unpack into; the answer is
a JSON object: ``{"diff_id", "size_bytes", "compression"}``, ``{"refused"}``, or ``{"errno", "message"}``.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket

from wharf.errors import InvalidArgument
from wharf.kernel.prctl import set_parent_death_signal
from wharf.storage.unpacking.unpacked import unpack_layer

_MESSAGE_BYTES = 4096
_DESCRIPTORS = 2


def main(fd: int) -> None:
    """Serve, and die with whoever has started this."""
    set_parent_death_signal(signal.SIGKILL)
    serve(fd)


def serve(fd: int) -> None:
    """Answer what comes from the socket ``fd``, which is closed at the end."""
    with socket.socket(fileno=fd) as requests:
        while True:
            message, fds, _, _ = socket.recv_fds(requests, _MESSAGE_BYTES, _DESCRIPTORS)
            if not message:
                return
            requests.send(json.dumps(answer(*fds)).encode())


def answer(stored: int, folder: int) -> dict[str, object]:
    """Unpack one layer, close both descriptors, and return what to say of it."""
    try:
        with io.FileIO(stored, "rb") as source:
            layer = unpack_layer(source, folder)
    except InvalidArgument as error:
        return {"refused": str(error)}
    except OSError as error:
        return {"errno": error.errno, "message": error.strerror or str(error)}
    except MemoryError:
        return {"errno": 12, "message": "not enough memory to unpack the layer"}
    finally:
        os.close(folder)
    return {"diff_id": layer.diff_id, "size_bytes": layer.size_bytes, "compression": layer.compression}
