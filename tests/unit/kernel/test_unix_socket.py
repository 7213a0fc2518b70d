from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from wharf.kernel import unix_socket


def test_a_pair_is_connected_and_closed_on_exec() -> None:
    here, there = unix_socket.pair()
    here.send(b"x")

    assert there.recv(10) == b"x"
    assert not os.get_inheritable(here.fileno())
    here.close()
    there.close()


@pytest.mark.parametrize("depth", [1, 20])
def test_who_listens_is_reached_however_long_the_path(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["folder"] * depth)
    folder.mkdir(parents=True)
    listener = unix_socket.listen(f"{folder}/sock")
    client = unix_socket.connect(f"{folder}/sock")
    server = unix_socket.accept(listener)
    client.send(b"hello")

    assert server.recv(10) == b"hello"
    for sock in (listener, client, server):
        sock.close()
    with pytest.raises(ConnectionRefusedError):
        unix_socket.connect(f"{folder}/sock")
    with pytest.raises(OSError, match="in use"):
        unix_socket.listen(f"{folder}/sock")


def test_who_waits_for_the_end_finds_what_was_said_before_it() -> None:
    here, there = unix_socket.pair()

    def speak() -> None:
        there.send(b"first")
        there.send(b"last")
        there.close()

    speaking = threading.Thread(target=speak)
    speaking.start()
    unix_socket.wait_for_end(here)

    assert (here.recv(10), here.recv(10), here.recv(10)) == (b"first", b"last", b"")
    speaking.join()
    here.close()
