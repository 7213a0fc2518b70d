from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from wharf.engine.buildkit.containers import Process
from wharf.engine.buildkit.talk import Talk
from wharf.spec.buildkit import gateway_pb2 as pb


class FakeShim:
    """One process."""

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def exec_kill(self, _exec_id: str, number: int) -> None:
        self.signals.append(number)

    def exec_exited(self, _exec_id: str) -> asyncio.Future[int]:
        return self.ended


class FakeCall:
    """Asks for one process, and then no more unless it ``lingers``."""

    def __init__(self, *, lingers: bool) -> None:
        self.sent: list[pb.ExecMessage] = []
        self.begun = asyncio.Event()
        self._lingers = lingers

    async def messages(self) -> AsyncIterator[bytes]:
        yield pb.ExecMessage(ProcessID="p", Init=pb.InitMessage(ContainerID="c", Fds=[0, 1, 2])).SerializeToString()
        self.begun.set()
        if self._lingers:
            await asyncio.Event().wait()

    async def send(self, data: bytes) -> None:
        self.sent.append(pb.ExecMessage.FromString(data))


def _talk(call: FakeCall, process: Process) -> Talk:
    async def start(_init: object) -> Process:
        return process

    containers: Any = SimpleNamespace(named=lambda _: SimpleNamespace(start=start))
    fake: Any = call
    return Talk(fake, containers)


def test_the_sockets_of_processes_that_have_ended_are_closed() -> None:
    async def body() -> None:
        shim, call = FakeShim(), FakeCall(lingers=False)
        near, far = socket.socketpair()
        near.setblocking(False)
        talking = asyncio.create_task(_talk(call, Process(shim, near, True, "e")).run())  # type: ignore[arg-type]
        await call.begun.wait()
        far.close()
        shim.ended.set_result(137)
        await talking
        assert (near.fileno(), shim.signals) == (-1, [])
        assert call.sent[-2].Exit.Code == 137

    asyncio.run(body())


def test_processes_of_a_client_that_gives_up_are_killed_and_their_sockets_closed() -> None:
    async def body() -> None:
        shim, call = FakeShim(), FakeCall(lingers=True)
        near, far = socket.socketpair()
        near.setblocking(False)
        talking = asyncio.create_task(_talk(call, Process(shim, near, True, "e")).run())  # type: ignore[arg-type]
        await call.begun.wait()
        await asyncio.sleep(0)
        talking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talking
        with far:
            assert (near.fileno(), shim.signals, far.recv(1)) == (-1, [9], b"")

    asyncio.run(body())
