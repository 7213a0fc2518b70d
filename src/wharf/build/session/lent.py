"""A folder of a client on this machine, by descriptors (unix(7), SCM_RIGHTS): the client opens files, we read them.

So nothing is read with our rights that the client could not read, and no byte passes through a socket.

::

    we                                          client
      {"folder", "include", "exclude", …} ─────▶   a line each, in JSON
      ◀──────────────── [[path, mode, …], …]       what is in it, in the order of a walk; an empty list ends it
      [numbers of files] ──────────────────────▶   those that are missing or changed, some at a time
      ◀──────────────── [] with their descriptors  in that order
      [] ──────────────────────────────────────▶   that is all

A client that cannot go on says ``{"error": …}`` in place of a list. Everything here blocks. Nothing that a client
sends is trusted.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from wharf.build.operations.selection import Digests
from wharf.build.session.copies import Copies
from wharf.build.session.entries import Entry, entry_in
from wharf.build.session.filesync import Received, Wanted
from wharf.build.session.tree import Tree
from wharf.errors import InvalidArgument
from wharf.kernel.unix_socket import descriptors, space_of
from wharf.lib.readable import readable

MOST_AT_ONCE: Final = 64
"""Files asked for in one line: as many descriptors come in one message, of which the kernel carries 253 (unix(7))."""

_MOST_BATCHES: Final = 4  # asked for and not copied yet
_THREADS: Final = 2
_CHUNK: Final = 1 << 18
_MOST_LINE_BYTES: Final = 1 << 22
_MOST_ASKED_BYTES: Final = 1 << 15  # a client reads lines of twice that; longer lists of patterns go over the session


class NothingLent(Exception):
    """Descriptors do not come through: something between the client and us carries bytes alone."""


class Lender:
    """A client's connection on which it lends folders; one transfer at a time. Owns the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._turn = threading.Lock()
        self._buffer = b""
        self._brought: deque[int] = deque()  # descriptors that came with what is in the buffer

    def abandon(self) -> None:
        """Let whoever reads find the end; from any thread."""
        with suppress(OSError):  # the client was first
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, once nobody reads; idempotent."""
        self.abandon()
        with self._turn:
            self._drop()
            self._socket.close()

    def receive(self, wanted: Wanted, folder: Path, digests: Digests, received: Received) -> None:
        """Make ``folder`` as the client's is; what is there already is taken for an earlier state of it.

        Raises:
            NothingLent: no descriptors come, or too much is to be left out; the folder has what it had, or part of
                the client's.
            InvalidArgument: the client sends what cannot be, or fails.
            Unavailable: the disk is full.
        """
        with self._turn:
            if self._socket.fileno() < 0:  # who had the turn before found that nothing comes
                raise NothingLent
            try:
                self._socket.settimeout(None)
                tree = Tree(folder, digests)
                try:
                    self._receive(wanted, tree, digests, received)
                finally:
                    tree.close()
            except BaseException as error:
                self._socket.close()  # an answer may be on its way, which the next transfer would take for its own
                if isinstance(error, OSError):
                    raise InvalidArgument(f"the client's folder cannot be read: {error}") from error
                raise
            finally:
                self._drop()

    def _receive(self, wanted: Wanted, tree: Tree, digests: Digests, received: Received) -> None:
        self._ask(wanted)
        missing = [(number, entry) for number, entry in enumerate(self._entries()) if tree.put(entry)]
        copies = Copies(tree.root, digests)
        sizes: deque[Future[int]] = deque()
        total = 0
        with ThreadPoolExecutor(_THREADS, "wharf-lent") as pool:
            for batch, fds in self._opened(missing):
                sizes.append(pool.submit(copies.take, batch, fds))
                while len(sizes) >= _MOST_BATCHES or (sizes and sizes[0].done()):
                    received(total := total + sizes.popleft().result())
            for size in sizes:
                received(total := total + size.result())
        self._say([])
        tree.finish()

    def _ask(self, wanted: Wanted) -> None:
        lists = {"include": wanted.include, "exclude": wanted.exclude, "follow": wanted.follow or ()}
        asked = json.dumps({"folder": wanted.name, **{name: list(some) for name, some in lists.items()}}).encode()
        if len(asked) > _MOST_ASKED_BYTES:
            raise NothingLent
        self._socket.sendall(asked + b"\n")

    def _entries(self) -> Iterator[Entry]:
        while some := self._list():
            for fields in some:
                yield entry_in(fields)

    def _opened(self, missing: Sequence[tuple[int, Entry]]) -> Iterator[tuple[list[Entry], list[int]]]:
        """Yield files with their descriptors, which are the caller's; one batch is always on its way."""
        batches = [missing[at : at + MOST_AT_ONCE] for at in range(0, len(missing), MOST_AT_ONCE)]
        for batch in batches[:1]:
            self._say([number for number, _ in batch])
        for place, batch in enumerate(batches):
            for following in batches[place + 1 : place + 2]:
                self._say([number for number, _ in following])
            self._list()
            if len(self._brought) < len(batch):
                raise NothingLent
            yield [entry for _, entry in batch], [self._brought.popleft() for _ in batch]

    def _say(self, document: object) -> None:
        self._socket.sendall(json.dumps(document).encode() + b"\n")

    def _list(self) -> list[object]:
        """Return the client's next line."""
        try:
            said = json.loads(self._line())
        except (ValueError, RecursionError) as error:
            raise InvalidArgument(f"the client lends what cannot be read: {error}") from None
        match said:
            case list():
                return said
            case {"error": str(message)}:
                raise InvalidArgument(f"the client failed: {readable(message)}")
        raise InvalidArgument("the client lends what is no list")

    def _line(self) -> bytes:
        pieces, size = [], 0
        while (end := self._buffer.find(b"\n")) < 0:
            pieces.append(self._buffer)
            size += len(self._buffer)
            if size > _MOST_LINE_BYTES:
                raise InvalidArgument("the client lends with lines that are too long")
            self._buffer = self._read()
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return b"".join((*pieces, line))

    def _read(self) -> bytes:
        data, ancillary, flags, _ = self._socket.recvmsg(_CHUNK, space_of(MOST_AT_ONCE), socket.MSG_CMSG_CLOEXEC)
        self._brought += descriptors(ancillary)
        if flags & socket.MSG_CTRUNC or len(self._brought) > 2 * MOST_AT_ONCE:
            raise InvalidArgument("the client lends more than it was asked for")
        if not data:
            raise InvalidArgument("the client went before its folder was here")
        return data

    def _drop(self) -> None:
        while self._brought:
            os.close(self._brought.popleft())
