"""Containers' processes as the engine sees them: spawn, adopt after a restart, abolish what nobody owns."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from wharf.errors import Conflict, Unavailable
from wharf.kernel import sockets
from wharf.processes import folder as folders
from wharf.processes import zygote as zygotes
from wharf.processes.shim import ProcessFailed, Shim
from wharf.spec.shim_messages import Exit, SpawnRequest
from wharf.storage.layout import RunRoot

__all__ = ["ProcessFailed", "Processes"]

_ADOPT_TIMEOUT_S = 30.0
_POLL_S = 0.01


class Processes:
    """The zygote of one engine and the shims it knows; belongs to one event loop."""

    def __init__(self, run: RunRoot, *, zygote_entry: str = zygotes.ENTRY) -> None:
        """Make nothing yet.

        Args:
            run: where shims live.
            zygote_entry: the zygote's program text; another one is for tests.
        """
        self._run = run
        self._entry = zygote_entry
        self._zygote: zygotes.Zygote | None = None
        self._shims: set[Shim] = set()

    async def start(self) -> None:
        """Start the zygote now, so that the first container does not wait for its imports.

        Raises:
            Unavailable: it cannot be started.
        """
        self._live_zygote()

    async def spawn(self, request: SpawnRequest, attachments: Sequence[socket.socket] = ()) -> Shim:
        """Create and start a container; return once it runs.

        When the caller is cancelled the container is killed, and this waits for its end.

        Args:
            request: what to run; ``shim_dir`` and ``seccomp_cache`` are below the run root.
            attachments: a stream socket for each entry of the request's; the caller closes its copies.

        Raises:
            ProcessFailed: the container could not be created or started; nothing of it is left.
            Conflict: its shim still lives.
            Unavailable: no zygote can be started.
        """
        folder = Path(request["shim_dir"])
        shim = await self._request(request, folder, attachments)
        try:
            return await self._begun(shim, folder)
        except ProcessFailed:
            if not shim.never_was:
                raise
        # The zygote died with the request in its hands: a new one is started, once.
        return await self._begun(await self._request(request, folder, attachments), folder)

    async def _request(self, request: SpawnRequest, folder: Path, attachments: Sequence[socket.socket]) -> Shim:
        try:
            lock = folders.make(folder)
        except BlockingIOError as error:
            raise Conflict(f"container {request['id']} has a shim that lives") from error
        try:
            ours, theirs = sockets.pair()
            with theirs:
                shim = self._know(Shim(folder, folders.cgroup_of(request["bundle"]), ours))
                fds = [theirs.fileno(), lock, *(sock.fileno() for sock in attachments)]
                try:
                    await self._hand_over(request, fds)
                except BaseException:
                    await shim.aclose()
                    folders.remove(folder)
                    raise
        finally:
            os.close(lock)  # from here on the zygote or the shim holds it, or nobody
        return shim

    async def adopt(self, container_id: str, cgroup: str) -> Shim | Exit | None:
        """Find out what became of a container that an earlier engine started.

        Returns its running shim; or its recorded exit, which stays recorded until :meth:`forget`; or None when there
        is no trace, or a trace that says nothing: then whatever is left in ``cgroup`` is killed.

        Raises:
            Unavailable: a shim lives and does not answer.
            OSError: EBUSY: something in the cgroup cannot be killed.
        """
        folder = self._run.shim(container_id)
        deadline = asyncio.get_running_loop().time() + _ADOPT_TIMEOUT_S
        while True:
            recorded = folders.read_exit(folder)
            if recorded is not None:
                return recorded
            if folders.is_dead(folder):
                # It may have ended between the two looks.
                recorded = folders.read_exit(folder)
                if recorded is None:
                    await self._bury(folder, cgroup)
                return recorded
            shim = await self._greet(folder, cgroup)
            if shim is not None:
                return shim
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"the shim of container {container_id} does not answer")
            await asyncio.sleep(_POLL_S)

    async def abolish(self, container_id: str, cgroup: str) -> None:
        """End a container that nobody has a record of: kill it, wait, and remove every trace; idempotent.

        Raises:
            Unavailable: a shim lives and does not answer.
            OSError: EBUSY: something in the cgroup cannot be killed.
        """
        found = await self.adopt(container_id, cgroup)
        if isinstance(found, Shim):
            await asyncio.to_thread(folders.kill_cgroup, cgroup)
            await found.exited
        await asyncio.to_thread(folders.clear_cgroup, cgroup)
        self.forget(container_id)

    def forget(self, container_id: str) -> None:
        """Remove the folder of a shim whose exit is recorded; idempotent."""
        folders.remove(self._run.shim(container_id))

    async def aclose(self) -> None:
        """End the zygote and hang up on the shims, which go on."""
        for shim in list(self._shims):
            await shim.aclose()
        self._shims.clear()
        if self._zygote is not None:
            zygote, self._zygote = self._zygote, None
            await zygote.end()

    def _live_zygote(self) -> zygotes.Zygote:
        if self._zygote is None:
            self._zygote = zygotes.start(self._entry)
        return self._zygote

    async def _hand_over(self, request: SpawnRequest, fds: list[int]) -> None:
        """Send the request to a zygote, to a new one if the old one has died."""
        for attempt in (1, 2):
            zygote = self._live_zygote()
            try:
                await zygote.request({"op": "spawn", **request}, fds)
            except (BrokenPipeError, ConnectionResetError) as error:
                if self._zygote is zygote:
                    self._zygote = None
                await zygote.end()
                if attempt == 2:
                    raise Unavailable("the zygote dies as soon as it is started") from error
            else:
                return

    async def _begun(self, shim: Shim, folder: Path) -> Shim:
        try:
            await shim.begun()
        except ProcessFailed:
            folders.remove(folder)
            raise
        except asyncio.CancelledError:
            await self._undo(shim, folder)
            raise
        return shim

    async def _undo(self, shim: Shim, folder: Path) -> None:
        try:
            await shim.kill(9)
            await shim.exited
        except (Conflict, asyncio.CancelledError):
            return  # it failed by itself, or the engine closes
        folders.remove(folder)

    async def _greet(self, folder: Path, cgroup: str) -> Shim | None:
        sock = folders.connect(folder)
        if sock is None:
            return None
        shim = self._know(Shim(folder, cgroup, sock))
        try:
            await shim.begun()
        except ProcessFailed:
            return None  # it ended before it had said anything; the next look tells
        return shim

    async def _bury(self, folder: Path, cgroup: str) -> None:
        await asyncio.to_thread(folders.clear_cgroup, cgroup)
        folders.remove(folder)

    def _know(self, shim: Shim) -> Shim:
        self._shims.add(shim)
        shim.exited.add_done_callback(lambda _exit: self._shims.discard(shim))
        return shim
