"""Run a container to its end and collect what it wrote: the shortest way from a program to a container."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from wharf.engine.containers.collection import Containers
from wharf.errors import Conflict, NotFound
from wharf.lib.finishing import to_the_end
from wharf.lib.stdcopy import STDERR, Demultiplexer
from wharf.spec.engine_api.container import CreateContainer


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended and what it wrote; ``truncated``: it wrote more than was to be kept."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False


@dataclass(slots=True)
class Output:
    """What has come out of a stream so far: of each kind at most ``limit_bytes``, the rest is read and dropped."""

    limit_bytes: int | None
    stdout: bytearray
    stderr: bytearray
    truncated: bool = False

    @classmethod
    def none_yet(cls, limit_bytes: int | None) -> Output:
        """Return an output to be added to."""
        return cls(limit_bytes, bytearray(), bytearray())

    def add(self, stream_id: int, data: bytes) -> None:
        """Keep what there is room for."""
        kept = self.stderr if stream_id == STDERR else self.stdout
        room = len(data) if self.limit_bytes is None else max(0, self.limit_bytes - len(kept))
        kept.extend(data[:room])
        self.truncated = self.truncated or room < len(data)

    def completed(self, exit_code: int) -> Completed:
        """Return it with how the command ended."""
        return Completed(exit_code, bytes(self.stdout), bytes(self.stderr), self.truncated)


async def run_to_completion(
    containers: Containers, request: CreateContainer, stdin: bytes | None, limit_bytes: int | None = None
) -> Completed:
    """Create, attach, start, wait and remove; the container is gone when this returns or raises."""
    async with owned(containers, request) as container_id:
        with await containers.hold(container_id, stdin=stdin is not None, output=True) as stream:
            ended = await containers.wait(container_id, condition="next-exit")
            await containers.start(container_id)
            output = await converse(stream, stdin, limit_bytes)
        exit_code = (await ended).get("StatusCode") or 0
    return output.completed(exit_code)


@asynccontextmanager
async def owned(containers: Containers, request: CreateContainer) -> AsyncIterator[str]:
    """Create a container that removes itself when it ends; it is gone when this is left."""
    container_id = (await containers.create(request, owned=True)).get("Id") or ""
    removed = await containers.wait(container_id, condition="removed")
    try:
        yield container_id
    finally:
        await to_the_end(asyncio.create_task(_end(containers, container_id, removed)))


async def _end(containers: Containers, container_id: str, removed: Awaitable[object]) -> None:
    with suppress(NotFound, Conflict):  # it has ended by itself, and is removed or being so
        await containers.remove(container_id, force=True, volumes=True)
    await removed


async def converse(stream: socket.socket, stdin: bytes | None, limit_bytes: int | None) -> Output:
    """Feed a command and read what it writes to the end of both."""
    feeding = asyncio.ensure_future(_feed(stream, stdin))
    try:
        return await _collect(stream, Output.none_yet(limit_bytes))
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def _feed(stream: socket.socket, stdin: bytes | None) -> None:
    try:
        if stdin:
            await asyncio.get_running_loop().sock_sendall(stream, stdin)
        stream.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        return  # it ended without reading all of its input, as it may


async def _collect(stream: socket.socket, output: Output) -> Output:
    loop = asyncio.get_running_loop()
    demultiplexer = Demultiplexer()
    while chunk := await loop.sock_recv(stream, 65536):
        for stream_id, data in demultiplexer.feed(chunk):
            output.add(stream_id, data)
    return output
