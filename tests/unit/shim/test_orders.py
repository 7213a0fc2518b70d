from __future__ import annotations

import os
import socket

import pytest

from wharf.kernel import sockets
from wharf.shim import orders
from wharf.shim.orders import Abandoned


def test_the_message_that_is_due_comes_with_its_descriptors() -> None:
    engine, shim = sockets.pair()
    reader, writer = os.pipe()
    with engine, shim:
        sockets.send(engine, {"op": "world", "binds": 2}, [reader])

        message, fds = orders.receive(shim, "world")

    assert message == {"op": "world", "binds": 2}
    assert os.path.samestat(os.fstat(fds[0]), os.fstat(reader))
    orders.close(fds)
    orders.close(fds)
    assert fds == []
    os.close(reader)
    os.close(writer)


def test_an_engine_that_hangs_up_has_abandoned_the_start() -> None:
    engine, shim = sockets.pair()
    engine.close()

    with shim, pytest.raises(Abandoned):
        orders.receive(shim, "groups")


def test_another_message_than_the_due_one_is_no_start_and_leaves_no_descriptor() -> None:
    engine, shim = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader, writer = os.pipe()
    with engine, shim:
        sockets.send(engine, {"op": "kill"}, [writer])
        os.close(writer)

        with pytest.raises(Abandoned):
            orders.receive(shim, "world")

    assert os.read(reader, 1) == b""  # nobody holds the other end
    os.close(reader)
