"""Run a container to its end and collect what it wrote: the shortest way from a program to a sandbox."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from wharf.engine.containers.collection import Containers
from wharf.errors import NotFound
from wharf.lib.stdcopy import STDERR, Demultiplexer
from wharf.spec.engine_api.container import CreateContainer


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: bytes


async def run_to_completion(containers: Containers, request: CreateContainer, stdin: bytes | None) -> Completed:
    """Create, attach, start, wait and remove; the container is gone when this returns or raises."""
    created = await containers.create(request)
    container_id = created.get("Id") or ""
    try:
        attached = await containers.attach(container_id, stdin=stdin is not None)
        with attached.socket:
            ended = await containers.wait(container_id, condition="next-exit")
            await containers.start(container_id)
            feeding = asyncio.ensure_future(_feed(attached.socket, stdin))
            try:
                stdout, stderr = await _collect(attached.socket)
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
        exit_code = (await ended).get("StatusCode") or 0
    finally:
        await asyncio.shield(_remove(containers, container_id))
    return Completed(exit_code, stdout, stderr)


async def _remove(containers: Containers, container_id: str) -> None:
    try:
        await containers.remove(container_id, force=True, volumes=True)
    except NotFound:
        return


async def _feed(stream: socket.socket, stdin: bytes | None) -> None:
    try:
        if stdin:
            await asyncio.get_running_loop().sock_sendall(stream, stdin)
        stream.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        return  # it ended without reading all of its input, as it may


async def _collect(stream: socket.socket) -> tuple[bytes, bytes]:
    loop = asyncio.get_running_loop()
    outputs: tuple[bytearray, bytearray] = (bytearray(), bytearray())
    demultiplexer = Demultiplexer()
    while chunk := await loop.sock_recv(stream, 65536):
        for stream_id, data in demultiplexer.feed(chunk):
            outputs[stream_id == STDERR].extend(data)
    return bytes(outputs[0]), bytes(outputs[1])
