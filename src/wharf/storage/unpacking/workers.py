"""The engine's side of workers: started when there is something to unpack, ended when nobody is about to any more."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from wharf.errors import InvalidArgument
from wharf.kernel.process import spawn
from wharf.lib.digest import parse_digest
from wharf.storage.unpacking.unpacked import Growing, UnpackedLayer
from wharf.storage.unpacking.worker import FOLLOW

LEAST_BYTES: Final = 2 * 1024 * 1024
"""Stored bytes below which a layer is unpacked sooner than a worker has started."""

_MOST: Final = 3
_PROGRAM: Final = "import sys; sys.path[:] = {paths!r}; from wharf.storage.unpacking.worker import main; main({fd})"


class _Worker(NamedTuple):
    pid: int
    requests: socket.socket


class Workers:
    """The workers of one engine; from any thread."""

    def __init__(self, most: int | None = None) -> None:
        self._slots = threading.BoundedSemaphore(most or min(_MOST, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._expected = 0
        self._starter: ThreadPoolExecutor | None = None

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Keep workers that have nothing to do while within: more layers are coming."""
        with self._lock:
            self._expected += 1
            # Workers die with the thread that has started them (PR_SET_PDEATHSIG), so that has to be one that stays.
            self._starter = self._starter or ThreadPoolExecutor(1, "wharf-workers")
        try:
            yield
        finally:
            with self._lock:
                self._expected -= 1
                ended, starter = [], None
                if not self._expected:
                    ended, self._idle = self._idle, []
                    starter, self._starter = self._starter, None
            for worker in ended:
                _end(worker)
            if starter is not None:
                starter.shutdown()

    def follow(self, stored: Growing, folder_fd: int) -> UnpackedLayer:
        """Unpack a layer from its file, while that is written, into the empty folder ``folder_fd``; blocking.

        Nothing of it passes through this process: the worker reads the file.

        Raises:
            InvalidArgument: the archive is corrupt, or an entry of it is refused.
            Unavailable: whoever writes the file has given up.
            OSError: the disk is full, or the worker was killed.
        """
        with self.expecting(), self._slots:
            worker = self._take()
            try:
                said = _let_follow(worker, stored, folder_fd)
            except BaseException:
                _end(worker)  # in whatever state it is
                raise
            with self._lock:
                self._idle.append(worker)
        return _read(said, stored)

    def _take(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            assert self._starter is not None, "whoever unpacks expects to"
            started = self._starter.submit(_start)
        return started.result()


def _start() -> _Worker:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        program = _PROGRAM.format(paths=[path for path in sys.path if path], fd=theirs.fileno())
        arguments = [sys.executable, "-I", "-S", "-B", "-c", program]
        try:
            return _Worker(spawn(arguments, pass_fds=[theirs.fileno()]), ours)
        except BaseException:
            ours.close()
            raise


def _end(worker: _Worker) -> None:
    """Hang up and reap: a worker ends at once when it is idle, and at its next read or write otherwise."""
    worker.requests.close()
    with suppress(ChildProcessError):  # a program that embeds the engine may reap all its children
        os.waitpid(worker.pid, 0)


def _let_follow(worker: _Worker, stored: Growing, folder_fd: int) -> dict[str, object]:
    """Give a worker the file of one layer, tell it how far that has got whenever it asks, and return its answer."""
    fd = stored.open()
    try:
        socket.send_fds(worker.requests, [FOLLOW], [fd, folder_fd])
    finally:
        os.close(fd)
    while True:
        match _answer(worker):
            case {"beyond": int(beyond)}:
                worker.requests.send(b"%d" % stored.grown(beyond))
            case answer:
                return answer


def _answer(worker: _Worker) -> dict[str, object]:
    answer = worker.requests.recv(65536)
    if not answer:
        raise OSError(errno.ECHILD, "the process that unpacked a layer was killed")
    document: dict[str, object] = json.loads(answer)
    return document


def _read(document: dict[str, object], stored: Growing) -> UnpackedLayer:
    match document:
        case {"diff_id": None, "size_bytes": int(size_bytes), "compression": ""}:
            return UnpackedLayer(stored.digest, size_bytes, "")
        case {"diff_id": str(diff_id), "size_bytes": int(size_bytes), "compression": str(compression)}:
            return UnpackedLayer(parse_digest(diff_id), size_bytes, compression)
        case {"refused": str(message)}:
            raise InvalidArgument(message)
        case {"errno": int(number), "message": str(message)}:
            raise OSError(number, message)
    raise OSError(errno.EPROTO, f"a worker answered {document}")
