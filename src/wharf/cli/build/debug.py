"""``wharf build --debug``: when a step fails, a shell in its files, with its mounts, environment and user."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.json_format import Parse, ParseError

from wharf.cli.build.show import Watched
from wharf.cli.terminal import RawTerminal, size_of
from wharf.errors import InvalidArgument
from wharf.rpc.call import ClientCall
from wharf.rpc.channel import Channel
from wharf.rpc.methods import decoded
from wharf.rpc.status import UNKNOWN, CallFailed
from wharf.spec.buildkit import control_pb2 as control
from wharf.spec.buildkit import gateway_pb2 as pb
from wharf.spec.buildkit.errdefs_pb2 import Solve
from wharf.spec.buildkit.status_pb2 import Status

_BRIDGE: Final = "/moby.buildkit.v1.frontend.LLBBridge/"
_SOLVE: Final = "/moby.buildkit.v1.Control/Solve"
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "zsh", "ksh"})
_CHUNK: Final = 1 << 14
_NO_EXIT_CODE: Final = 255  # of a process that could not be started (BuildKit, gateway/pb, UnknownExitStatus)
_IN, _OUT = 0, 1


def require_terminal() -> None:
    """Refuse to debug where nobody can type.

    Raises:
        InvalidArgument: standard input or output is no terminal.
    """
    if not (os.isatty(_IN) and os.isatty(_OUT)):
        raise InvalidArgument("--debug needs a terminal: it gives you a shell when a step fails")


async def solve(channel: Channel, request: control.SolveRequest, shown: Watched) -> control.SolveResponse:
    """Do a build, and stay with a step that fails until the user has seen enough.

    Raises:
        CallFailed: why it failed.
    """
    asked = pb.SolveRequest(Frontend=request.Frontend, FrontendOpt=request.FrontendAttrs, Evaluate=True)
    request.Frontend = ""
    metadata = {"buildkit-controlapi-buildid": [request.Ref]}
    solving = asyncio.create_task(channel.unary(_SOLVE, request, control.SolveResponse))
    answering = asyncio.create_task(_answer(channel, asked, metadata, shown))
    try:
        await asyncio.wait({solving, answering}, return_when=asyncio.FIRST_COMPLETED)
        if not solving.done():  # else it was refused before anybody could ask for something
            await channel.unary(f"{_BRIDGE}Return", await answering, pb.ReturnResponse, metadata)
        return await solving
    finally:
        for task in (solving, answering):
            task.cancel()
        await asyncio.gather(solving, answering, return_exceptions=True)


async def _answer(
    channel: Channel, asked: pb.SolveRequest, metadata: Mapping[str, list[str]], shown: Watched
) -> pb.ReturnRequest:
    try:
        answer = await channel.unary(f"{_BRIDGE}Solve", asked, pb.SolveResponse, metadata)
    except CallFailed as error:
        failure = Status.FromString(error.details) if error.details else Status(code=error.code, message=str(error))
        if (left := left_by(failure)) is not None:
            await shown.see_failure()
            shown.close()
            await _look(channel, left, failure, metadata)
        return pb.ReturnRequest(error=failure)
    return pb.ReturnRequest(result=answer.result)


def left_by(failure: Status) -> Solve | None:
    """Return what a command that failed has left; None for a failure of another kind."""
    for one in failure.details:
        if one.type_url.endswith("errdefs.Solve+json"):
            try:
                return Parse(one.value, Solve(), ignore_unknown_fields=True)
            except ParseError:
                return None
    return None


def shell_of(arguments: Sequence[str]) -> str:
    """Return the shell to start: the step's own, where it has one."""
    first = arguments[0] if arguments else ""
    return first if os.path.basename(first) in _SHELLS else "/bin/sh"


async def _look(channel: Channel, left: Solve, failure: Status, metadata: Mapping[str, list[str]]) -> None:
    """Give the user a shell in what a step has left, until it ends."""
    command = left.op.exec
    shell = shell_of(command.meta.args)
    name = secrets.token_hex(12)
    request = pb.NewContainerRequest(ContainerID=name, Network=command.network, hostname=command.meta.hostname)
    request.extraHosts.extend(command.meta.extraHosts)
    for mount, result in zip(command.mounts, left.mountIDs, strict=False):
        request.Mounts.add().CopyFrom(mount)
        request.Mounts[-1].resultID = result
    sys.stderr.write(f"\n{failure.message}\n{shell} in the files of that step follows; leave it to end the build\n")
    sys.stderr.flush()
    try:
        await channel.unary(f"{_BRIDGE}NewContainer", request, pb.NewContainerResponse, metadata)
        try:
            await _talk(channel, _init_of(name, left, shell), metadata)
        finally:
            gone = pb.ReleaseContainerRequest(ContainerID=name)
            await channel.unary(f"{_BRIDGE}ReleaseContainer", gone, pb.ReleaseContainerResponse, metadata)
    except CallFailed as error:
        sys.stderr.write(f"there is no shell: {error}\n")


def _init_of(container: str, left: Solve, shell: str) -> pb.InitMessage:
    command = left.op.exec
    init = pb.InitMessage(ContainerID=container, Fds=[0, 1, 2], Tty=True, Security=command.security)
    init.Meta.CopyFrom(command.meta)
    del init.Meta.args[:]
    init.Meta.args.append(shell)
    init.secretenv.extend(command.secretenv)
    return init


@dataclass(frozen=True, slots=True)
class _Process:
    call: ClientCall
    name: str

    async def send(self, **fields: object) -> None:
        message = pb.ExecMessage(ProcessID=self.name, **fields)  # type: ignore[arg-type]  # one field of the oneof
        await self.call.send(message.SerializeToString())

    async def resize(self) -> None:
        rows, columns = size_of(_OUT)
        await self.send(Resize=pb.ResizeMessage(Rows=rows, Cols=columns))


async def _talk(channel: Channel, init: pb.InitMessage, metadata: Mapping[str, list[str]]) -> None:
    """Carry what is typed to a process, and what it writes to the screen, until it ends.

    Raises:
        CallFailed: it could not be started.
    """
    async with channel.open(f"{_BRIDGE}ExecProcess", metadata) as call:
        process = _Process(call, secrets.token_hex(12))
        await process.send(Init=init)
        with RawTerminal(_IN):
            typing: asyncio.Task[None] | None = None
            try:
                async for data in call.messages():
                    message = decoded(pb.ExecMessage, data)
                    match message.WhichOneof("Input"):
                        case "Started":
                            typing = asyncio.create_task(_carry_keys(process))
                        case "File":
                            os.write(_OUT, message.File.Data)
                        case "Exit" if was_refused(message.Exit):
                            raise CallFailed(message.Exit.Error.code, message.Exit.Error.message)
                        case "Done":
                            return
            finally:
                if typing is not None:
                    typing.cancel()
                    await asyncio.gather(typing, return_exceptions=True)


def was_refused(ended: pb.ExitMessage) -> bool:
    """Tell what could not be started from what ended with the same code: of each code but 0 an error is told."""
    return ended.Code == _NO_EXIT_CODE and ended.HasField("Error") and ended.Error.code != UNKNOWN


async def _carry_keys(process: _Process) -> None:
    """Send what is typed, and the terminal's size whenever it changes."""
    loop = asyncio.get_running_loop()
    changed: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(_IN, _once, loop, changed)
    loop.add_signal_handler(signal.SIGWINCH, changed.put_nowait, "size")
    try:
        await process.resize()
        while True:
            if await changed.get() == "size":
                await process.resize()
                continue
            data = os.read(_IN, _CHUNK)
            await process.send(File=pb.FdMessage(Fd=_IN, Data=data, EOF=not data))
            if not data:
                return
            loop.add_reader(_IN, _once, loop, changed)
    finally:
        loop.remove_reader(_IN)
        loop.remove_signal_handler(signal.SIGWINCH)


def _once(loop: asyncio.AbstractEventLoop, changed: asyncio.Queue[str]) -> None:
    """Note that there is something to read, and look no more until it was read."""
    loop.remove_reader(_IN)
    changed.put_nowait("keys")
