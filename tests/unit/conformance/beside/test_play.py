from __future__ import annotations

import socket
import threading
from pathlib import Path

from conformance.beside.play import play, unsent
from conformance.beside.steps import Sequence, Step, create, inspect, remove


class _Daemon:
    """Answers each connection with the next of some answers."""

    def __init__(self, path: Path, answers: list[bytes]) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, args=(answers,))
        self._thread.start()

    def _serve(self, answers: list[bytes]) -> None:
        for answer in answers:
            connection, _ = self._listener.accept()
            with connection:
                self.heard.append(connection.recv(65536))
                connection.sendall(answer)

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


def _answer(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


def test_later_steps_ask_about_what_earlier_ones_have_made(tmp_path: Path) -> None:
    daemon = _Daemon(
        tmp_path / "s", [_answer("201 Created", b'{"Id": "abc"}'), _answer("200 OK", b'{"Id": "abc", "a": 1}')]
    )
    said = play(Sequence("x", (create(), inspect())), str(tmp_path / "s"), {})
    daemon.close()

    assert daemon.heard[1].startswith(b"GET /v1.51/containers/abc/json HTTP/1.1\r\n")
    assert said[1]["body"] == {"Id": "<c>", "a": 1}


def test_nothing_is_asked_about_what_was_not_made(tmp_path: Path) -> None:
    daemon = _Daemon(tmp_path / "s", [_answer("400 Bad Request", b'{"message": "no"}')])
    said = play(Sequence("x", (create(), inspect(), remove())), str(tmp_path / "s"), {})
    daemon.close()

    assert said[0]["body"] == {"message": "no"}
    assert unsent(said[1])
    assert unsent(said[2])


def test_an_answer_in_chunks_is_read_to_its_end(tmp_path: Path) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"
    daemon = _Daemon(tmp_path / "s", [chunks])
    said = play(Sequence("x", (Step("GET", "/x"),)), str(tmp_path / "s"), {})
    daemon.close()

    assert said[0]["body"] == [1, 2]
