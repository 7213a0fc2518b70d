"""The engine's handle on one shim, and through it on one container."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from wharf.errors import Conflict, Unavailable
from wharf.kernel.libc import suppress_errno
from wharf.kernel.unix_socket import MOST_FDS
from wharf.lib.timestamps import rfc3339_nano
from wharf.processes import folder as folders
from wharf.processes.channel import Channel, RequestFailed
from wharf.spec.shim_messages import Attachment, ExecRequest, Exit, Failure, Groups, World

_T = TypeVar("_T")

KILLED = 137


class ProcessFailed(Exception):
    """A process could not be created or started: ``kind`` and ``message`` are those of Failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure["message"])
        self.kind = failure["kind"]
        self.message = failure["message"]


class Shim:
    """A running container; made by Processes.

    Attributes:
        cgroup: path of its control group.
        pid: of the container's init.
        started_at: RFC 3339.
        steps_us: microseconds each step of the start took; empty for an adopted shim.
        exited: how the container ended. Never an exception: a shim that was killed gives exit code 137 and an
            ``error``, after what it left is killed too. Cancelled when the engine closes first.
        emptied: after that: nothing of the container runs or is limited any more, and it may be removed.
        released: after that: nothing of it is left but the shim's folder, and it may be started again. This may take
            as long as the disk is busy, for the root's overlay is synced when it is unmounted.
        ports: names of the published ports whose sockets it keeps.
        on_oom: called when the kernel has killed a process of the container for want of memory.
    """

    def __init__(
        self, folder: Path, cgroup: str, sock: socket.socket, dispose: Callable[[Path], None] = folders.remove
    ) -> None:
        """Begin to listen on ``sock``, which is taken over; see :meth:`begun`. ``dispose`` removes the folder."""
        loop = asyncio.get_running_loop()
        self.pid = 0
        self.started_at = ""
        self.steps_us: dict[str, int] = {}
        self.exited: asyncio.Future[Exit] = loop.create_future()
        self.emptied: asyncio.Future[None] = loop.create_future()
        self.released: asyncio.Future[None] = loop.create_future()
        self.never_was = False  # the zygote died before it had forked: the request may be given to another
        self.ports: frozenset[str] = frozenset()
        self.on_oom: Callable[[], None] | None = None
        self._folder = folder
        self._dispose = dispose
        self.cgroup = cgroup
        self._begun: asyncio.Future[None] = loop.create_future()
        self._execs: dict[str, asyncio.Future[int]] = {}
        self._unwanted: set[str] = set()  # execs that still run and whose exit code nobody will ask for
        self._mourning: asyncio.Task[None] | None = None
        self._channel = Channel(sock, self._on_event, self._on_end)

    async def begun(self) -> None:
        """Wait until the container runs.

        Raises:
            ProcessFailed: it does not; nothing of it is left.
        """
        await asyncio.shield(self._begun)

    async def give_world(self, world: World, fds: Sequence[int]) -> None:
        """Hand over what the container's init needs; nothing happens when the shim is gone: :meth:`begun` tells."""
        await self._channel.tell(dict(world), fds)

    async def give_groups(self, groups: Groups, fds: Sequence[int]) -> None:
        """Hand over the control group that belongs to the world; the same holds."""
        await self._channel.tell(dict(groups), fds)

    async def abandon(self) -> None:
        """Hang up on a shim whose container does not run, and will not: it leaves, and nothing is left after this."""
        await self.aclose()
        await asyncio.to_thread(folders.kill_cgroup, self.cgroup)
        await asyncio.to_thread(folders.wait_dead, self._folder)
        await asyncio.to_thread(folders.clear_cgroup, self.cgroup)
        folders.remove(self._folder)

    async def kill(self, number: int) -> None:
        """Send a signal to the container's init.

        Raises:
            Conflict: it does not run any more.
        """
        await self._request("kill", signal=number)

    async def resize(self, rows: int, columns: int) -> None:
        """Set the size of the container's terminal; without one it has no effect."""
        await self._request("resize", rows=rows, columns=columns)

    async def attach(self, attachment: Attachment, sock: socket.socket) -> None:
        """Give one end of a stream socketpair to the shim as a client; the caller closes its copy."""
        await self._request("attach", (sock.fileno(),), attachment=attachment)

    def keep_ports(self, listening: Mapping[str, socket.socket | None]) -> None:
        """Have the shim keep sockets of published ports until the container ends, and let go all others it keeps.

        Does not wait: what is under way outlives us as well as what has arrived. Nothing happens when it is gone.

        Args:
            listening: by name; the caller keeps its own. None: the shim has it already. More than 253 (SCM_MAX_FD)
                new ones are not kept.

        Raises:
            OSError: the kernel takes no more descriptors or bytes now; what was kept still is.
        """
        if listening.keys() == self.ports:
            return
        new = {name: sock.fileno() for name, sock in listening.items() if sock is not None and name not in self.ports}
        brought = list(new)[:MOST_FDS]
        names = [*brought, *(name for name in listening if name in self.ports)]
        self._channel.tell_now({"op": "keep", "ports": names}, [new[name] for name in brought])
        self.ports = frozenset(names)

    def log_delivered(self) -> None:
        """Say that the log's cursor has moved on, for a container that waits for that; does not wait for an answer.

        A shim that is behind looks by itself some seconds later.
        """
        with suppress_errno(errno.EAGAIN):
            self._channel.tell_now({"op": "delivered"}, [])

    async def drain(self) -> bool:
        """Wait until what is in the container's pipes is in its log; return whether that has a record of this run.

        True, too, for what the answer is not known of: the container has ended, or its shim is of an older version.
        """
        try:
            return bool((await self._channel.request("drain"))["logged"])
        except (RequestFailed, Unavailable):
            return True

    async def exec(self, request: ExecRequest, sock: socket.socket | None) -> int:
        """Run one more process and return its pid; the caller closes its copy of ``sock``.

        Raises:
            ProcessFailed: it could not be started.
            Conflict: the container does not run any more.
        """
        exec_id = request["exec_id"]
        ended = self._execs[exec_id] = asyncio.get_running_loop().create_future()
        try:
            result = await self._channel.request("exec", (sock.fileno(),) if sock else (), exec=request)
        except RequestFailed as error:
            self._drop(exec_id, ended)
            raise ProcessFailed(error.failure) from error
        except Unavailable as error:
            self._drop(exec_id, ended)
            raise Conflict("the container is not running") from error
        pid: int = result["pid"]
        return pid

    async def checkpoint(self, images: str, *, leave_running: bool) -> None:
        """Save the container's processes into the folder ``images``; they end, unless they are left running.

        Raises:
            ProcessFailed: they could not be saved; they go on.
            Conflict: the container does not run any more.
        """
        try:
            await self._channel.request("checkpoint", images=images, leave_running=leave_running)
        except RequestFailed as error:
            raise ProcessFailed(error.failure) from error
        except Unavailable as error:
            raise Conflict("the container is not running") from error

    async def exec_kill(self, exec_id: str, number: int) -> None:
        """Send a signal to an exec's process."""
        await self._request("exec-kill", exec_id=exec_id, signal=number)

    async def exec_resize(self, exec_id: str, rows: int, columns: int) -> None:
        """Set the size of an exec's terminal."""
        await self._request("exec-resize", exec_id=exec_id, rows=rows, columns=columns)

    def exec_exited(self, exec_id: str) -> asyncio.Future[int]:
        """Return the exit code to come of an exec; 137 when the container ended with it. Asked for once."""
        if exec_id in self._execs:
            return self._execs[exec_id]
        ended = asyncio.get_running_loop().create_future()
        ended.set_result(KILLED)  # it was there before this engine, and ended unseen
        return ended

    def execs(self) -> list[str]:
        """Return the ids of the execs that run, or whose exit code nobody has taken."""
        return list(self._execs)

    def forget_exec(self, exec_id: str) -> None:
        """Drop the exit code of an exec, now or when it comes; idempotent."""
        ended = self._execs.pop(exec_id, None)
        if ended is not None and not ended.done():
            self._unwanted.add(exec_id)

    def forget(self) -> None:
        """Remove the shim's folder, its exit being recorded, as soon as the container is released; idempotent."""
        assert self.exited.done()
        if self.released.done():
            self._dispose(self._folder)
        else:
            self.released.add_done_callback(self._remove_folder)

    def _remove_folder(self, released: asyncio.Future[None]) -> None:
        if not released.cancelled():
            self._dispose(self._folder)

    async def aclose(self) -> None:
        """Hang up; the shim and its container go on."""
        self._channel.close()
        if self._mourning is not None:
            self._mourning.cancel()
            await asyncio.gather(self._mourning, return_exceptions=True)
        self.exited.cancel()
        self.emptied.cancel()
        self.released.cancel()
        self._begun.cancel()
        for ended in self._execs.values():
            ended.cancel()

    async def _request(self, op: str, fds: tuple[int, ...] = (), **fields: object) -> None:
        try:
            await self._channel.request(op, fds, **fields)
        except RequestFailed as error:
            raise Conflict(error.failure["message"]) from error
        except Unavailable as error:
            raise Conflict("the container is not running") from error

    def _on_event(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "started" | "state":
                self.pid, self.started_at = event["pid"], event["started_at"]
                self.steps_us = event.get("steps_us", {})
                self.ports = frozenset(event.get("ports", ()))
                self._know_execs(event.get("execs", {}))
                _settle(self._begun, None)
            case "failed":
                self._fail(event["failure"])
            case "exit":
                self._end(event["exit"])
            case "emptied":
                _settle(self.emptied, None)
            case "released":
                self._release()
            case "exec-exit":
                self._end_exec(event["exec_id"], event["exit_code"])
            case "oom":
                if self.on_oom is not None:
                    self.on_oom()

    def _know_execs(self, running: Iterable[str]) -> None:
        for exec_id in running:
            self._execs.setdefault(exec_id, asyncio.get_running_loop().create_future())
        for exec_id in self._execs.keys() - set(running):  # ended while nobody heard the shim
            _settle(self._execs[exec_id], KILLED)

    def _end_exec(self, exec_id: str, exit_code: int) -> None:
        if exec_id in self._unwanted:
            self._unwanted.discard(exec_id)
            return
        ended = self._execs.setdefault(exec_id, asyncio.get_running_loop().create_future())
        _settle(ended, exit_code)

    def _on_end(self) -> None:
        """The shim has hung up without having released the container: it was killed, or has dropped us."""
        self._mourning = asyncio.get_running_loop().create_task(self._mourn(), name=f"mourn {self._folder.name}")

    async def _mourn(self) -> None:
        """Connect anew to a shim that lives; else find out how the container ended, and end it if nobody did."""
        try:
            sock = folders.connect(self._folder)
        except OSError:  # it ends at this moment, or we have no descriptor left: its lock tells
            sock = None
        if sock is not None:
            self._channel = Channel(sock, self._on_event, self._on_end)
            return
        await asyncio.to_thread(folders.wait_dead, self._folder)
        recorded = folders.read_exit(self._folder)
        if recorded is not None and "failure" in recorded:
            self._fail(recorded["failure"])
            return
        error = "the shim was killed"
        try:
            await asyncio.to_thread(folders.clear_cgroup, self.cgroup)
        except OSError as problem:
            error = f"the shim was killed, and what it left could not be: {problem}"
        if recorded is None and not self.started_at:
            self.never_was = not folders.was_begun(self._folder)
            self._fail({"kind": "other", "message": error})
            return
        self._end(recorded or self._killed(error))
        self._release()

    def _killed(self, error: str) -> Exit:
        return {
            "pid": self.pid,
            "exit_code": KILLED,
            "oom_killed": False,
            "started_at": self.started_at,
            "finished_at": rfc3339_nano(time.time_ns()),
            "error": error,
        }

    def _fail(self, failure: Failure) -> None:
        if not self._begun.done():
            self._begun.set_exception(ProcessFailed(failure))
            self._begun.exception()  # whoever waited may have been cancelled: then nobody asks
        self.exited.cancel()
        self._release()

    def _end(self, document: Exit) -> None:
        _settle(self._begun, None)
        for ended in self._execs.values():
            _settle(ended, KILLED)
        _settle(self.exited, document)

    def _release(self) -> None:
        _settle(self.emptied, None)
        _settle(self.released, None)
        self._channel.close()

    def _drop(self, exec_id: str, ended: asyncio.Future[int]) -> None:
        if self._execs.get(exec_id) is ended:
            del self._execs[exec_id]


def _settle(future: asyncio.Future[_T], value: _T) -> None:
    if not future.done():
        future.set_result(value)
