from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from wharf.engine.buildkit.containers import Container, Containers
from wharf.engine.builds.runner import Running
from wharf.errors import NotFound
from wharf.spec.buildkit.gateway_pb2 import InitMessage
from wharf.spec.buildkit.ops_pb2 import Meta

_SAME: Any = SimpleNamespace(grants=frozenset())


class FakeShim:
    """Holds the far ends of what runs in it."""

    def __init__(self) -> None:
        self.held: list[socket.socket] = []
        self.killed: list[tuple[str, int]] = []
        self.began = ""
        self.beginning = asyncio.Event()

    async def exec(self, _request: object, sock: socket.socket) -> int:
        self.held.append(sock.dup())
        return 1

    async def exec_kill(self, exec_id: str, number: int) -> None:
        self.killed.append((exec_id, number))


class SlowShim(FakeShim):
    """Has begun a process, and does not say so."""

    async def exec(self, request: Any, sock: socket.socket) -> int:
        self.began = request["exec_id"]
        self.beginning.set()
        await asyncio.Event().wait()
        return await super().exec(request, sock)


def test_the_socket_of_a_further_process_is_its_readers_and_ends_with_the_container() -> None:
    async def body() -> None:
        stack, shim = AsyncExitStack(), FakeShim()
        container = Container(_SAME, _SAME, stack)
        near, far = socket.socketpair()
        spec: Any = {"process": {}}
        container._running = Running(shim, near, spec)  # type: ignore[arg-type]
        with near, far:
            process = await container.start(InitMessage(Meta=Meta(args=["x"], cwd="/")))
            loop = asyncio.get_running_loop()
            reading = asyncio.create_task(loop.sock_recv(process.socket, 1))
            await asyncio.sleep(0)
            stack.callback(shim.held[0].close)  # as it does when its container ends
            await container.aclose()
            async with asyncio.timeout(5):
                assert await reading == b""
            process.socket.close()

    asyncio.run(body())


def test_a_container_has_ended_when_its_release_was_cancelled() -> None:
    async def body() -> None:
        stack, go_on, done = AsyncExitStack(), asyncio.Event(), []

        async def end() -> None:
            await go_on.wait()
            done.append("ended")

        stack.callback(done.append, "draft removed")
        stack.push_async_callback(end)
        containers = Containers(_SAME)
        containers._known["c"] = Container(_SAME, _SAME, stack)
        releasing = asyncio.create_task(containers.release("c"))
        for _ in range(2):
            await asyncio.sleep(0.01)
            releasing.cancel()
        await asyncio.sleep(0.01)
        assert (done, releasing.done()) == ([], False)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await releasing
        assert done == ["ended", "draft removed"]

    asyncio.run(body())


def test_a_process_whose_start_was_cancelled_is_killed() -> None:
    async def body() -> None:
        shim, container = SlowShim(), Container(_SAME, _SAME, AsyncExitStack())
        near, far = socket.socketpair()
        spec: Any = {"process": {}}
        container._running = Running(shim, near, spec)  # type: ignore[arg-type]
        with near, far:
            starting = asyncio.create_task(container.start(InitMessage(Meta=Meta(args=["x"], cwd="/"))))
            await shim.beginning.wait()
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)

        assert starting.cancelled()
        assert shim.killed == [(shim.began, 9)]

    asyncio.run(body())


def test_nothing_is_started_in_a_container_that_was_released_meanwhile() -> None:
    async def body() -> None:
        container = Container(_SAME, _SAME, AsyncExitStack())
        await container._turn.acquire()
        releasing = asyncio.create_task(container.aclose())
        await asyncio.sleep(0)
        starting = asyncio.create_task(container.start(InitMessage(ContainerID="c", Meta=Meta(args=["x"], cwd="/"))))
        await asyncio.sleep(0)
        container._turn.release()
        await releasing
        with pytest.raises(NotFound, match="container c previously released"):
            await starting

    asyncio.run(body())
