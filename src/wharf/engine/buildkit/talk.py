"""One stream of ExecProcess: processes of a job's containers, what they read and write (BuildKit, gateway)."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import ExitStack
from typing import Final

from wharf.engine.buildkit.containers import Containers, Process
from wharf.errors import Conflict, InvalidArgument, NotFound, WharfError
from wharf.lib.finishing import to_the_end
from wharf.lib.signals import parse_signal
from wharf.lib.stdcopy import STDOUT, Demultiplexer
from wharf.rpc.call import Call
from wharf.rpc.methods import decoded
from wharf.rpc.status import UNKNOWN, failed
from wharf.spec.buildkit import gateway_pb2 as pb
from wharf.spec.buildkit.status_pb2 import Status

_CHUNK: Final = 1 << 16
_NO_EXIT_CODE: Final = 255  # of a process that could not be started (BuildKit, gateway/pb, UnknownExitStatus)


class Talk:
    """Messages of one stream; each names its process."""

    def __init__(self, call: Call, containers: Containers) -> None:
        self._call = call
        self._containers = containers
        self._processes: dict[str, Process] = {}
        self._sockets = ExitStack()  # closed when nobody waits for them: a descriptor's next owner would not be woken
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Answer until the client sends no more and its processes have ended; they are killed when it gives up.

        Raises:
            NotFound: a message is about a process, or a container, that is not there.
            Conflict: there is a process of this name.
        """
        with self._sockets:
            try:
                async with asyncio.TaskGroup() as group:
                    async for data in self._call.messages():
                        await self._take(decoded(pb.ExecMessage, data), group)
            except BaseException as error:
                await to_the_end(asyncio.create_task(self._kill()))
                if isinstance(error, BaseExceptionGroup):
                    raise error.exceptions[0] from None
                raise

    async def _kill(self) -> None:
        for process in self._processes.values():
            await process.kill(signal.SIGKILL)

    async def _take(self, message: pb.ExecMessage, group: asyncio.TaskGroup) -> None:
        name = message.ProcessID
        if not name:
            raise InvalidArgument("ProcessID required")
        kind = message.WhichOneof("Input")
        if kind == "Init":
            await self._begin(name, message.Init, group)
            return
        process = self._processes.get(name)
        if process is None:
            raise NotFound(f'IO for process "{name}" not found')
        match kind:
            case "File":
                await _write(process, message.File)
            case "Resize":
                await process.resize(message.Resize.Rows, message.Resize.Cols)
            case "Signal":
                await process.kill(parse_signal(message.Signal.Name))
            case _:
                raise InvalidArgument(f"a message of the kind {kind} is not the client's to send")

    async def _begin(self, name: str, init: pb.InitMessage, group: asyncio.TaskGroup) -> None:
        if name in self._processes:
            raise Conflict(f"process {name} already exists")
        container = self._containers.named(init.ContainerID)
        try:
            process = self._processes[name] = await container.start(init)
            self._sockets.enter_context(process.socket)
        except WharfError as error:
            await self._send(pb.ExecMessage(ProcessID=name, Started=pb.StartedMessage()))
            told = failed(error)
            await self._end(name, _NO_EXIT_CODE, Status(code=told.code, message=str(told)))
            return
        await self._send(pb.ExecMessage(ProcessID=name, Started=pb.StartedMessage()))
        if 0 not in init.Fds:
            process.socket.shutdown(socket.SHUT_WR)
        group.create_task(self._follow(name, process, frozenset(init.Fds)))

    async def _follow(self, name: str, process: Process, wanted: frozenset[int]) -> None:
        """Tell what a process writes, and how it ends."""
        loop, frames = asyncio.get_running_loop(), Demultiplexer()
        while data := await loop.sock_recv(process.socket, _CHUNK):
            for stream, piece in [(STDOUT, data)] if process.terminal else frames.feed(data):
                if stream in wanted:
                    file = pb.FdMessage(Fd=stream, Data=piece)
                    await self._send(pb.ExecMessage(ProcessID=name, File=file))
        for stream in sorted(wanted - {0}):
            await self._send(pb.ExecMessage(ProcessID=name, File=pb.FdMessage(Fd=stream, EOF=True)))
        code = await process.exit_code()
        await self._end(name, code, Status(code=UNKNOWN, message=f"exit code: {code}") if code else None)

    async def _end(self, name: str, code: int, error: Status | None) -> None:
        await self._send(pb.ExecMessage(ProcessID=name, Exit=pb.ExitMessage(Code=code, Error=error)))
        await self._send(pb.ExecMessage(ProcessID=name, Done=pb.DoneMessage()))

    async def _send(self, message: pb.ExecMessage) -> None:
        async with self._sending:
            await self._call.send(message.SerializeToString())


async def _write(process: Process, file: pb.FdMessage) -> None:
    """Give a process input, or end it; one that has ended takes none."""
    if file.Fd != 0:
        raise InvalidArgument(f"a process takes input on descriptor 0 alone, not {file.Fd}")
    try:
        if file.Data:
            await asyncio.get_running_loop().sock_sendall(process.socket, file.Data)
        if file.EOF:
            process.socket.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        return
