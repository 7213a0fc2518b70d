from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from wharf.client.http1 import File, Wire, send_chunks
from wharf.errors import DataLoss


class WithoutFiles(Wire):
    takes_files = False


def sent(body: File, wire: Callable[[socket.socket], Wire] = Wire) -> bytes:
    """Return what the other side reads until the end."""
    ours, theirs = socket.socketpair()
    found: list[bytes] = []
    with theirs, ours:
        reader = threading.Thread(target=lambda: found.extend(iter(lambda: theirs.recv(65536), b"")))
        reader.start()
        try:
            send_chunks(wire(ours), body)
        finally:
            ours.shutdown(socket.SHUT_WR)
            reader.join()
    return b"".join(found)


def plain(chunked: bytes) -> bytes:
    """Return a body without its framing, which must be right to its end."""
    body = b""
    while True:
        length, _, chunked = chunked.partition(b"\r\n")
        size = int(length, 16)
        body += chunked[:size]
        assert chunked[size : size + 2] == b"\r\n"
        chunked = chunked[size + 2 :]
        if not size:
            assert not chunked
            return body


def opened(path: Path, content: bytes) -> int:
    path.write_bytes(content)
    return os.open(path, os.O_RDONLY)


@pytest.mark.parametrize("wire", [Wire, WithoutFiles])
@pytest.mark.parametrize("size", [0, 1, 3 * (1 << 20) + 5])
def test_a_file_is_sent_whole_and_closed(tmp_path: Path, wire: Callable[[socket.socket], Wire], size: int) -> None:
    content = os.urandom(size)
    fd = opened(tmp_path / "file", content)

    assert plain(sent(File(fd), wire)) == content
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_file_is_sent_from_where_it_stands(tmp_path: Path) -> None:
    fd = opened(tmp_path / "file", b"read, not read")
    os.lseek(fd, 6, os.SEEK_SET)

    assert plain(sent(File(fd))) == b"not read"


def test_a_pipe_is_sent_to_its_end() -> None:
    out, into = os.pipe()
    os.write(into, b"from a pipe")
    os.close(into)

    assert plain(sent(File(out))) == b"from a pipe"


def test_a_file_that_becomes_shorter_while_it_is_sent_is_not_sent_as_if_it_were_whole(tmp_path: Path) -> None:
    fd = opened(tmp_path / "file", b"four")

    class Shortening(Wire):
        def send_file(self, fd: int, length: int) -> None:
            os.truncate(tmp_path / "file", 2)
            super().send_file(fd, length)

    with pytest.raises(DataLoss, match="shorter"):
        sent(File(fd), Shortening)
