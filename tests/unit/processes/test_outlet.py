from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from wharf.kernel import sockets
from wharf.processes.outlet import Outlet
from wharf.spec.shim_wire import MAX_MESSAGE_BYTES

PAIR = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[PAIR]:
    """Two ends, of which the first never blocks."""
    ours, theirs = sockets.pair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def fill(sock: socket.socket) -> int:
    """Send until nothing more fits, and return how many datagrams that took."""
    sent = 0
    while True:
        try:
            sockets.send(sock, {"filling": sent})
        except BlockingIOError:
            return sent
        sent += 1


async def received(sock: socket.socket, count: int) -> list[Any]:
    return [await asyncio.to_thread(sockets.receive, sock, MAX_MESSAGE_BYTES) for _ in range(count)]


async def waiting(outlet: Outlet, numbers: range) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(outlet.send({"number": number})) for number in numbers]
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    return tasks


def test_all_that_wait_for_room_send_in_turn(pair: PAIR) -> None:
    ours, theirs = pair
    filled = fill(ours)

    async def ten() -> list[Any]:
        tasks = await waiting(Outlet(ours), range(10))
        arrived = await received(theirs, filled + len(tasks))
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
        return arrived[filled:]

    assert asyncio.run(ten()) == [({"number": number}, []) for number in range(10)]


def test_one_that_no_longer_waits_leaves_its_turn_to_the_next(pair: PAIR) -> None:
    ours, theirs = pair
    filled = fill(ours)

    async def second() -> Any:
        given_up, next_one = await waiting(Outlet(ours), range(2))
        given_up.cancel()
        arrived = await received(theirs, filled + 1)
        await asyncio.wait_for(next_one, 10)
        return arrived[-1]

    assert asyncio.run(second()) == ({"number": 1}, [])


def test_those_that_wait_learn_that_the_socket_is_closed(pair: PAIR) -> None:
    ours, _ = pair
    fill(ours)

    async def closed() -> list[int | None]:
        outlet = Outlet(ours)
        tasks = await waiting(outlet, range(3))
        outlet.let_go()
        ours.close()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        return [getattr(error, "errno", None) for error in ended]

    assert asyncio.run(closed()) == [errno.EBADF] * 3
