"""A client that lends folders by descriptors: the command's own, or one that says what a test wants."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from wharf.build.session.lent import Lender
from wharf.cli.build.lending import serve
from wharf.client.http1 import Wire


@contextmanager
def answered(answer: Callable[[socket.socket], None]) -> Iterator[Lender]:
    """Give a lender whose client does this, on a thread."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=answer, args=(theirs,))
    thread.start()
    lender = Lender(ours)
    try:
        yield lender
    finally:
        lender.close()
        thread.join()
        theirs.close()


def lending(folders: Mapping[str, Path]) -> Callable[[socket.socket], None]:
    """Return what the command's own client does."""
    named = {name: str(folder) for name, folder in folders.items()}

    def answer(theirs: socket.socket) -> None:
        serve(Wire(theirs), named)

    return answer


def saying(*told: object, fds: tuple[int, ...] = ()) -> Callable[[socket.socket], None]:
    """Return a client that says lines, whatever it is asked; with the last one come descriptors."""

    def answer(theirs: socket.socket) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # who is refused is hung up on
            for document in told[:-1]:
                theirs.sendall(json.dumps(document).encode() + b"\n")
            last = json.dumps(told[-1]).encode() + b"\n"
            socket.send_fds(theirs, [last], fds)
            while theirs.recv(4096):
                pass

    return answer
