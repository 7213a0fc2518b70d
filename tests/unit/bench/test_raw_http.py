from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.raw_http import Connection, UnexpectedAnswer


@contextmanager
def answering(folder: Path, *answers: bytes) -> Iterator[str]:
    """Serve these answers, one to each request of one connection."""
    path = str(folder / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                for answer in answers:
                    peer.recv(65536)
                    peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        thread.join()


def test_one_connection_serves_answers_of_every_framing(tmp_path: Path) -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n'
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
    with answering(tmp_path, chunked, empty, plain) as path, Connection(path) as connection:
        answers = [connection.json("GET", "/a"), connection.json("POST", "/b"), connection.request("GET", "/c")]

    assert answers == [{"a": 1}, None, b"OK"]


def test_an_error_is_raised_with_the_daemons_words(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nmissing"
    with (
        answering(tmp_path, answer) as path,
        Connection(path) as connection,
        pytest.raises(UnexpectedAnswer, match="GET /x: 404 missing"),
    ):
        connection.request("GET", "/x")


def test_a_connection_that_ends_early_is_an_error(tmp_path: Path) -> None:
    with (
        answering(tmp_path, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab") as path,
        Connection(path) as connection,
        pytest.raises(UnexpectedAnswer, match="closed the connection"),
    ):
        connection.request("GET", "/x")
