"""The worker: ``main(fd)`` serves requests from a SOCK_SEQPACKET socket until its other end is closed.

A request, ``follow``, carries two descriptors: the file that holds a layer's stored bytes, or will, and the folder to
unpack into. Before it reads beyond what it knows to be there the worker asks ``{"beyond": bytes}``, and is told how
many bytes there are, the same number at the end.

The answer is an object, in JSON: ``{"diff_id", "size_bytes", "compression"}``, ``{"refused"}`` or ``{"errno",
"message"}``.
"""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import signal
import socket
from contextlib import closing

from wharf.errors import InvalidArgument
from wharf.kernel.prctl import set_parent_death_signal
from wharf.storage.unpacking.unpacked import unpack_hashed

FOLLOW = b"follow"
_MESSAGE_BYTES = 4096
_DESCRIPTORS = 2


def main(fd: int) -> None:
    """Serve, and die with whoever has started this."""
    set_parent_death_signal(signal.SIGKILL)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for folders kept open
    serve(fd)


def serve(fd: int) -> None:
    """Answer what comes from the socket ``fd``, which is closed at the end."""
    with socket.socket(fileno=fd) as requests:
        while True:
            message, fds, _, _ = socket.recv_fds(requests, _MESSAGE_BYTES, _DESCRIPTORS)
            if not message:
                return
            requests.send(json.dumps(answer(Followed(fds[0], requests), fds[1])).encode())


class Followed:
    """A file that grows while it is read, as a source. Owns the descriptor."""

    def __init__(self, fd: int, requests: socket.socket) -> None:
        self._file = io.FileIO(fd, "rb")
        self._requests = requests
        self._at = self._there = 0
        self._whole = False

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        if self._at == self._there and not self._whole:
            self._requests.send(json.dumps({"beyond": self._at}).encode())
            self._there = int(self._requests.recv(_MESSAGE_BYTES) or b"-1")
            if self._there < self._at:
                raise OSError(errno.ECANCELED, "whoever wrote the layer has given up")
            self._whole = self._there == self._at
        data = self._file.read(min(size, self._there - self._at))
        self._at += len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def answer(stored: Followed, folder: int) -> dict[str, object]:
    """Unpack one layer, close its file and the folder, and return what to say of it."""
    try:
        with closing(stored):
            diff_id, size_bytes, compression = unpack_hashed(stored, folder)
    except InvalidArgument as error:
        return {"refused": str(error)}
    except OSError as error:
        return {"errno": error.errno, "message": error.strerror or str(error)}
    except MemoryError:
        return {"errno": errno.ENOMEM, "message": "not enough memory to unpack the layer"}
    finally:
        os.close(folder)
    return {"diff_id": diff_id, "size_bytes": size_bytes, "compression": compression}
