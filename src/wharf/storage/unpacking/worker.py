"""The worker: ``main(fd)`` serves requests from a SOCK_SEQPACKET socket until its other end is closed.

A request carries two descriptors. ``unpack``: a pipe with the layer's stored bytes, and the folder to unpack into.
``follow``: the file that holds those bytes, or will, and the folder; before it reads beyond what it knows to be there
the worker asks ``{"beyond": bytes}``, and is told how many bytes there are, the same number at the end.

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
from collections.abc import Callable
from contextlib import closing

from wharf.errors import InvalidArgument
from wharf.kernel.prctl import set_parent_death_signal
from wharf.storage.unpacking.unpacked import unpack_hashed, unpack_layer

UNPACK, FOLLOW = b"unpack", b"follow"
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
            said = answer(*fds) if message == UNPACK else _followed(Followed(fds[0], requests), fds[1])
            requests.send(json.dumps(said).encode())


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


def answer(stored: int, folder: int) -> dict[str, object]:
    """Unpack one layer, close both descriptors, and return what to say of it."""

    def unpack() -> tuple[str | None, int, str]:
        with io.FileIO(stored, "rb") as source:
            layer = unpack_layer(source, folder)
        return layer.diff_id, layer.size_bytes, layer.compression

    return _said(unpack, folder)


def _followed(stored: Followed, folder: int) -> dict[str, object]:
    def unpack() -> tuple[str | None, int, str]:
        with closing(stored):
            return unpack_hashed(stored, folder)

    return _said(unpack, folder)


def _said(unpack: Callable[[], tuple[str | None, int, str]], folder: int) -> dict[str, object]:
    try:
        diff_id, size_bytes, compression = unpack()
    except InvalidArgument as error:
        return {"refused": str(error)}
    except OSError as error:
        return {"errno": error.errno, "message": error.strerror or str(error)}
    except MemoryError:
        return {"errno": errno.ENOMEM, "message": "not enough memory to unpack the layer"}
    finally:
        os.close(folder)
    return {"diff_id": diff_id, "size_bytes": size_bytes, "compression": compression}
