from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from wharf.kernel import sockets


def test_a_datagram_that_is_too_long_is_refused_and_its_descriptors_closed() -> None:
    here, there = sockets.pair()
    with here, there:
        before = len(os.listdir("/proc/self/fd"))
        sockets.send(here, {"text": "x" * 500}, [here.fileno()])

        with pytest.raises(ValueError, match="too long"):
            sockets.receive(there, 100)
        assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_not_an_object_is_refused() -> None:
    here, there = sockets.pair()
    with here, there:
        here.send(b"[1]")

        with pytest.raises(ValueError, match="not a JSON object"):
            sockets.receive(there, 100)


def test_the_end_of_the_stream_is_none() -> None:
    here, there = sockets.pair()
    here.close()
    with there:
        assert sockets.receive(there, 100) is None


def test_messages_and_descriptors_arrive_together() -> None:
    here, there = sockets.pair()
    reader, writer = os.pipe()
    with here, there:
        sockets.send(here, {"op": "hello"}, [writer])
        os.close(writer)

        received = sockets.receive(there, 100)
        assert received is not None
        message, (copy,) = received
        os.write(copy, b"through")
        os.close(copy)

        assert (message, os.read(reader, 100)) == ({"op": "hello"}, b"through")
    os.close(reader)


def test_paths_longer_than_sun_path_can_be_bound_and_connected(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    path = str(folder / "shim.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        sockets.bind(server, path)
        server.listen()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            sockets.connect(client, path)

            assert sockets.peer_credentials(client)[0] == os.getpid()
