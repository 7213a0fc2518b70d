"""docker attach and resize: a client's end of the container's streams."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from wharf.engine.containers import logs
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.record import Container
from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.errors import Conflict
from wharf.lib.detach_keys import parse_detach_keys
from wharf.spec.shim_messages import Attachment


@dataclass(frozen=True, slots=True)
class AttachedStream:
    """One attached client: Docker's own bytes on ``socket``, which the holder closes.

    Towards the holder flow stdcopy frames, or raw bytes with ``tty``; from it raw stdin, ended by shutdown(SHUT_WR).
    """

    socket: socket.socket
    tty: bool


async def attach(
    context: Context,
    ref: str,
    *,
    stdin: bool,
    stdout: bool,
    stderr: bool,
    replay: bool,
    stream: bool,
    detach_keys: str | None,
) -> AttachedStream:
    """Attach to a container's streams; to one that does not run yet, as its start will find it.

    Args:
        context: the engine.
        ref: the container.
        stdin: whether the client writes.
        stdout: whether it reads standard output.
        stderr: whether it reads standard error.
        replay: send what has been logged first.
        stream: go on with what comes.
        detach_keys: as ``--detach-keys``; None for Docker's own.

    Raises:
        Conflict: it is paused or restarting.
        InvalidArgument: the detach keys are malformed.
    """
    keys = parse_detach_keys(detach_keys)
    container = context.registry.resolve(ref)
    require("attach", container.state, container_id=container.id, name=container.name)
    attachment: Attachment = {
        "stdin": stdin and bool(container.spec.config.get("OpenStdin")),
        "stdout": stdout,
        "stderr": stderr,
    }
    if container.tty and stdin:
        attachment["detach_keys"] = keys
    ours, theirs = stream_pair()
    if stream:
        await _join(container, attachment, theirs)
    else:
        theirs.close()
    publish(context, container, "attach")
    if not replay:
        return AttachedStream(ours, container.tty)
    return AttachedStream(await _after_the_log(context, container, ours, stdout=stdout, stderr=stderr), container.tty)


async def hold(context: Context, ref: str, *, stdin: bool, output: bool) -> socket.socket:
    """Attach to a container as its only owner: it is killed when the stream is closed before its end.

    So it is when the program that has the stream is killed. What flows is as with :func:`attach`.

    Args:
        context: the engine.
        ref: the container.
        stdin: whether the owner writes.
        output: whether it reads.

    Raises:
        Conflict: it is paused or restarting.
    """
    container = context.registry.resolve(ref)
    require("attach", container.state, container_id=container.id, name=container.name)
    ours, theirs = stream_pair()
    await _join(container, {"stdin": stdin, "stdout": output, "stderr": output, "holds": True}, theirs)
    publish(context, container, "attach")
    return ours


async def _join(container: Container, attachment: Attachment, theirs: socket.socket) -> None:
    if container.shim is None:
        container.pending.append((attachment, theirs))
        return
    with theirs:
        await container.shim.attach(attachment, theirs)


async def _after_the_log(
    context: Context, container: Container, live: socket.socket, *, stdout: bool, stderr: bool
) -> socket.socket:
    """Return an end on which the log comes first and then what ``live`` brings."""
    ours, theirs = stream_pair()

    async def relay() -> None:
        loop = asyncio.get_running_loop()
        with live, theirs:
            past = await logs.read(context, container, logs.Query(stdout=stdout, stderr=stderr))
            async for chunk in past:
                await loop.sock_sendall(theirs, chunk)
            outward = asyncio.ensure_future(_pump(live, theirs))
            inward = asyncio.ensure_future(_pump(theirs, live))
            await outward
            inward.cancel()

    context.background.start(relay(), f"replay {container.name}")
    return ours


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while chunk := await loop.sock_recv(source, 65536):
        await loop.sock_sendall(sink, chunk)
    sink.shutdown(socket.SHUT_WR)


def stream_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected non-blocking ends: the client's and the shim's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)  # noqa: FBT003  # socket's own signature
    theirs.setblocking(False)  # noqa: FBT003  # likewise
    return ours, theirs


async def resize(context: Context, ref: str, *, rows: int, columns: int) -> None:
    """Set the size of a container's terminal, in characters.

    Raises:
        Conflict: it does not run.
    """
    container = context.registry.resolve(ref)
    require("resize", container.state, container_id=container.id, name=container.name)
    if container.shim is None:
        raise Conflict(f"container {container.id} is not running")
    await container.shim.resize(rows, columns)
    publish(context, container, "resize", height=str(rows), width=str(columns))
