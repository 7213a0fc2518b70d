"""Containers that a job's client asks for: of results, and of what a failed step has left (``buildx debug``).

They go with the job, if they are not released before.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Final

from wharf.build.graph.operations import Exec
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.llb.decode import platform_of
from wharf.build.llb.execs import exec_of
from wharf.build.operations.exec import Commands, Prepared
from wharf.build.operations.mounting import lent_variable
from wharf.build.operations.results import Tree
from wharf.engine.buildkit.job import Job
from wharf.engine.builds.entitlements import require_granted
from wharf.engine.builds.platforms import require_runnable
from wharf.engine.builds.runner import Running, StepRunner, Streams
from wharf.engine.containers.attach import stream_pair
from wharf.engine.ocispec.process import environment, user
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.images.platform import host
from wharf.lib.finishing import to_the_end
from wharf.processes.processes import ProcessFailed
from wharf.processes.shim import Shim
from wharf.spec.buildkit.gateway_pb2 import InitMessage, NewContainerRequest
from wharf.spec.buildkit.ops_pb2 import ExecOp, Meta
from wharf.spec.buildkit.ops_pb2 import Mount as MountMessage
from wharf.spec.oci_runtime import Process as ProcessDocument
from wharf.spec.shim_messages import ExecRequest

_UNSAID: Final = "-"  # the command of a container that has none yet


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a container, whose bytes are on ``socket``: framed, without a terminal.

    Whoever reads the socket closes it: it ends with the process, and so with the container.
    """

    shim: Shim
    socket: socket.socket
    terminal: bool
    exec_id: str = ""  # "" for the first one

    async def kill(self, number: int) -> None:
        """Send it a signal; nothing happens when it has ended."""
        with suppress(Conflict):
            await (self.shim.exec_kill(self.exec_id, number) if self.exec_id else self.shim.kill(number))

    async def resize(self, rows: int, columns: int) -> None:
        """Set the size of its terminal; nothing happens when it has ended."""
        with suppress(Conflict):
            if self.exec_id:
                await self.shim.exec_resize(self.exec_id, rows, columns)
            else:
                await self.shim.resize(rows, columns)

    async def exit_code(self) -> int:
        """Wait for its end."""
        if self.exec_id:
            return await self.shim.exec_exited(self.exec_id)
        return (await self.shim.exited)["exit_code"]


class Container:
    """Its first process is its init: it ends with it."""

    def __init__(self, job: Job, prepared: Prepared, stack: AsyncExitStack) -> None:
        self._job = job
        self._prepared = prepared
        self._stack = stack
        self._running: Running | None = None
        self._over = False
        self._turn = asyncio.Lock()

    async def start(self, init: InitMessage) -> Process:
        """Start a process.

        Raises:
            InvalidArgument: it cannot be executed.
            Forbidden: it wants what the client did not grant.
            Conflict: the first one has ended.
            NotFound: the container was released meanwhile.
        """
        asked = exec_of(
            ExecOp(
                meta=init.Meta,
                mounts=[MountMessage(dest="/", input=-1)],
                security=init.Security,
                secretenv=init.secretenv,
            ),
            0,
        )
        require_granted(Vertex(asked, (), "", Description("process")).output(), self._job.grants)
        variables = [await lent_variable(self._job.offers, one) for one in asked.secret_env]
        lent = [one for one in variables if one is not None]
        async with self._turn:
            if self._over:
                raise NotFound(f"container {init.ContainerID} previously released or not created")
            if self._running is None:
                return await self._first(asked, init, lent)
            return await self._further(self._running, asked, lent, terminal=init.Tty)

    async def _first(self, asked: Exec, init: InitMessage, lent: Sequence[str]) -> Process:
        step = self._prepared.step
        operation = replace(
            step.operation, args=asked.args, env=asked.env, cwd=asked.cwd, user=asked.user, security=asked.security
        )
        step = replace(step, operation=operation, env=[*asked.env, *lent])
        runner = StepRunner(self._job.bench.context)
        running = await self._stack.enter_async_context(runner.started(step, Streams(init.Tty, 0 in init.Fds)))
        self._running = running
        return Process(running.shim, running.socket.dup(), init.Tty)

    async def _further(self, running: Running, asked: Exec, lent: Sequence[str], *, terminal: bool) -> Process:
        hostname = running.spec.get("hostname", "")
        document: ProcessDocument = {
            **running.spec["process"],
            "terminal": terminal,
            "args": list(asked.args),
            "cwd": asked.cwd,
            "env": environment([*asked.env, *lent], tty=terminal, hostname=hostname),
            "user": user(asked.user, []),
        }
        exec_id = secrets.token_hex(16)
        request: ExecRequest = {
            "exec_id": exec_id,
            "process": document,
            "attachment": {"stdin": True, "stdout": True, "stderr": True},
        }
        with ExitStack() as unread:
            ours, theirs = stream_pair()
            unread.enter_context(ours)
            with theirs:
                try:
                    await running.shim.exec(request, theirs)
                except ProcessFailed as error:
                    raise InvalidArgument(f"exec failed: {error.message}") from error
                except asyncio.CancelledError:
                    await to_the_end(asyncio.create_task(_killed(running.shim, exec_id)))
                    raise
            unread.pop_all()
        return Process(running.shim, ours, terminal, exec_id)

    async def aclose(self) -> None:
        """Kill it, and remove what was made for it."""
        async with self._turn:
            self._over = True
            await to_the_end(asyncio.create_task(self._stack.aclose()))


async def _killed(shim: Shim, exec_id: str) -> None:
    """Kill a process that may have been started: the shim does one thing after the other."""
    with suppress(Conflict):  # it was not
        await shim.exec_kill(exec_id, signal.SIGKILL)


class Containers:
    """Those of one job, by the names that its client gives them."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._known: dict[str, Container] = {}

    async def make(self, request: NewContainerRequest) -> None:
        """Make a container without a process.

        Raises:
            Conflict: there is one of this name.
            InvalidArgument: a mount is malformed, or of what is not there.
            Forbidden: it wants what the client did not grant.
            NotImplementedHere: programs of its platform cannot be run here.
            CallFailed: a step that it needs could not be done.
        """
        if request.ContainerID in self._known:
            raise Conflict(f"container {request.ContainerID} already exists")
        operation, trees = await self._operation(request)
        edge = Vertex(operation, (), platform_of(request.platform), Description("container")).output()
        require_runnable(edge, host())
        require_granted(edge, self._job.grants)
        job, stack = self._job, AsyncExitStack()
        commands = job.workshop({}).commands
        try:
            prepared = await self._prepared(commands, operation, trees, stack)
        except BaseException:
            await to_the_end(asyncio.create_task(stack.aclose()))
            raise
        made = self._known[request.ContainerID] = Container(job, prepared, stack)
        job.stack.push_async_callback(made.aclose)

    async def _prepared(
        self, commands: Commands, operation: Exec, trees: Sequence[Tree], stack: AsyncExitStack
    ) -> Prepared:
        return await stack.enter_async_context(commands.prepared(operation, trees, self._job.offers, stack))

    async def _operation(self, request: NewContainerRequest) -> tuple[Exec, list[Tree]]:
        """Return a container as a command that runs on results, and these."""
        op = ExecOp(meta=Meta(args=[_UNSAID], hostname=request.hostname), network=request.Network)
        op.meta.extraHosts.extend(request.extraHosts)
        trees: list[Tree] = []
        for asked in request.Mounts:
            mount = op.mounts.add()
            mount.CopyFrom(asked)
            mount.input, mount.output = -1, -1
            if asked.resultID:
                mount.input = len(trees)
                trees.append(await self._job.tree(asked.resultID))
        return exec_of(op, len(trees)), trees

    def named(self, name: str) -> Container:
        """Return a container.

        Raises:
            NotFound: there is none of this name.
        """
        if name not in self._known:
            raise NotFound(f"container {name} previously released or not created")
        return self._known[name]

    async def release(self, name: str) -> None:
        """End a container.

        Raises:
            NotFound: there is none of this name.
        """
        made = self.named(name)
        del self._known[name]
        await made.aclose()
