from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A fake engine: answers each request on one connection after another with the next canned bytes.

    ``serve(b"...", b"...")`` returns its address; ``serve.requests`` are the heads it saw. An answer of b"" closes.
    """
    threads: list[threading.Thread] = []
    listeners: list[socket.socket] = []
    requests: list[bytes] = []

    def start(*answers: bytes) -> str:
        path = tmp_path / "engine.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        listeners.append(listener)
        thread = threading.Thread(target=_answer, args=(listener, list(answers), requests))
        thread.start()
        threads.append(thread)
        return f"unix://{path}"

    start.requests = requests  # type: ignore[attr-defined]
    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(60)


def _answer(listener: socket.socket, answers: list[bytes], requests: list[bytes]) -> None:
    # A thread a connection: a client keeps one open while it hijacks another.
    threads: list[threading.Thread] = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        threads.append(threading.Thread(target=_converse, args=(connection, answers, requests)))
        threads[-1].start()
    for thread in threads:
        thread.join(60)


def _converse(connection: socket.socket, answers: list[bytes], requests: list[bytes]) -> None:
    with connection, contextlib.suppress(OSError):
        while request := _request(connection):
            requests.append(request)
            answer = answers.pop(0)
            connection.sendall(answer)
            if b"Content-Length" not in answer and b"chunked" not in answer:
                break


def _request(connection: socket.socket) -> bytes:
    """One request with its body: to close a socket with unread bytes in it resets the connection (unix(7))."""
    data = b""
    while not _is_whole(data):
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    return data


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    if re.search(rb"(?i)^transfer-encoding: chunked", head, re.MULTILINE):
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
    return len(body) >= (int(length[1]) if length else 0)
