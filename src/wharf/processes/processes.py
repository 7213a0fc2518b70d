"""Containers' processes as the engine sees them: spawn, adopt after a restart, abolish what nobody owns."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from wharf.errors import Conflict, Unavailable
from wharf.kernel import memfd, sockets
from wharf.kernel.cgroup.group import Cgroup, open_cgroup
from wharf.kernel.cgroup.hierarchy import read_hierarchies
from wharf.processes import folder as folders
from wharf.processes import namespaces, opening
from wharf.processes import zygote as zygotes
from wharf.processes.opening import Opened
from wharf.processes.shim import ProcessFailed, Shim
from wharf.spec import shim_document
from wharf.spec.oci_runtime import Spec
from wharf.spec.shim_messages import Exit, SpawnRequest, Usual, World
from wharf.storage.later import Later
from wharf.storage.layout import RunRoot

__all__ = ["ProcessFailed", "Processes"]

_ADOPT_TIMEOUT_S = 30.0
_LEAVE_TIMEOUT_S = 2.0
_POLL_S = 0.01


class Processes:
    """The zygote of one engine and the shims it knows; belongs to one event loop."""

    def __init__(
        self,
        run: RunRoot,
        usual: Spec | None = None,
        *,
        later: Later | None = None,
        open_files: int | None = None,
        zygote_entry: str = zygotes.ENTRY,
    ) -> None:
        """Make nothing yet.

        Args:
            run: where shims live.
            usual: config.json of the container that most are like, to be prepared for; None: prepare for nothing.
            later: does what can wait; None: it is done at once.
            open_files: soft limit that containers begin with (RLIMIT_NOFILE); None: that of this process.
            zygote_entry: the zygote's program text; another one is for tests.
        """
        self._run = run
        self._usual: Usual | None = {"spec": usual, "seccomp_cache": str(run.seccomp)} if usual else None
        self._seccomp = ((usual or {}).get("linux") or {}).get("seccomp")
        self._seccomp_json = msgspec.json.encode(self._seccomp) if self._seccomp else b""
        self._hierarchies = read_hierarchies()
        self._entry = zygote_entry
        self._later = later
        self._open_files = open_files
        self._zygote: zygotes.Zygote | None = None
        self._shims: dict[str, Shim] = {}  # until nothing is left of their containers

    async def start(self) -> None:
        """Start the zygote now, so that the first container does not wait for its imports.

        Raises:
            Unavailable: it cannot be started.
        """
        await asyncio.to_thread(folders.sweep, self._run.graves)
        self._live_zygote()

    async def spawn(self, request: SpawnRequest, spec: Spec, attachments: Sequence[socket.socket] = ()) -> Shim:
        """Create and start a container; return once it runs.

        When the caller is cancelled the container is killed, and this waits for its end.

        Args:
            request: what to run; ``shim_dir`` and ``seccomp_cache`` are below the run root.
            spec: config.json.
            attachments: a stream socket for each entry of the request's; the caller closes its copies.

        Raises:
            ProcessFailed: the container could not be created or started; nothing of it is left.
            Conflict: its shim still lives.
            Unavailable: no zygote can be started.
        """
        folder = Path(request["shim_dir"])
        await self.released(request["id"])
        shim = await self._request(request, spec, attachments)
        try:
            return await self._begun(shim, folder)
        except ProcessFailed:
            if not shim.never_was:
                raise
        # The zygote died with the request in its hands: a new one is started, once.
        return await self._begun(await self._request(request, spec, attachments), folder)

    async def released(self, container_id: str) -> None:
        """Wait until nothing is left of a container that has ended in this engine's sight."""
        shim = self._shims.get(container_id)
        if shim is not None and shim.exited.done():
            await asyncio.wait([shim.released])

    async def emptied(self, container_id: str) -> None:
        """Wait until nothing runs of a container that has ended in this engine's sight.

        Its mounts may still be there: they are in no process's sight, and go by themselves (:attr:`Shim.released`).
        """
        shim = self._shims.get(container_id)
        if shim is not None and shim.exited.done():
            await asyncio.wait([shim.emptied])

    async def _request(self, request: SpawnRequest, spec: Spec, attachments: Sequence[socket.socket]) -> Shim:
        folder = Path(request["shim_dir"])
        with ExitStack() as held:  # from the end of it on the zygote or the shim holds the lock, or nobody
            try:
                lock = folders.make(folder)
            except BlockingIOError as error:
                raise Conflict(f"container {request['id']} has a shim that lives") from error
            held.callback(os.close, lock)
            if "scope" in request:
                folders.note_cgroup(folder, request["cgroup"])
            config = memfd.sealed(self._document(spec), "config.json")
            held.callback(os.close, config)
            ours, theirs = sockets.pair()
            held.enter_context(theirs)
            shim = self._know(Shim(folder, request["cgroup"], ours, self._dispose), request["id"])
            fds = [theirs.fileno(), lock, config, *(sock.fileno() for sock in attachments)]
            try:
                await self._send({"op": "spawn", **request}, fds)
            except BaseException:
                await shim.aclose()
                folders.remove(folder)
                raise
        try:
            await self._give_world(shim, request, spec)
        except BaseException as error:
            await asyncio.shield(shim.abandon())
            if isinstance(error, OSError):
                raise ProcessFailed({"kind": "other", "message": str(error)}) from error
            raise
        return shim

    def _document(self, spec: Spec) -> bytes:
        linux: dict[str, object] = {**(spec.get("linux") or {})}
        seccomp = linux.pop("seccomp", None)
        if not seccomp:
            tail = b""
        else:
            tail = self._seccomp_json if seccomp == self._seccomp else msgspec.json.encode(seccomp)
        return shim_document.lines(msgspec.json.encode({**spec, "linux": linux}), tail)

    async def make_namespace(self, maps: tuple[str, str], *, network: bool = False, within: int | None = None) -> int:
        """Return a descriptor, owned by the caller, of a new user namespace; or of a network namespace that it owns.

        Args:
            maps: its mappings of users and of groups, as user_namespaces(7) writes them.
            network: which of the two.
            within: a user namespace that is there already, to own the network namespace.

        Raises:
            OSError: the kernel makes none: EINVAL for such mappings, ENOSPC at a limit of user.max_*_namespaces(7).
            Unavailable: no zygote can be started.
        """
        ours, theirs = sockets.pair()
        with ours:
            with theirs:
                asked = {"op": "namespace", "uid_map": maps[0], "gid_map": maps[1], "network": network}
                await self._send(asked, [theirs.fileno(), *([] if within is None else [within])])
            return await namespaces.received(ours)

    async def _give_world(self, shim: Shim, request: SpawnRequest, spec: Spec) -> None:
        """Open what the container needs and make its control group, while the shim and its init get ready.

        Raises:
            OSError: a limit that the kernel refuses, for example.
        """
        if "scope" in request:  # then the shim has systemd make the group, and the world in it
            await shim.give_world(opening.NO_WORLD, [])
            return
        cgroup = open_cgroup(request["cgroup"], self._hierarchies)
        resources = (spec.get("linux") or {}).get("resources") or {}
        with Opened() as opened:
            world = self._open_world(opened, request, spec, cgroup)
            if opened.fds:
                await shim.give_world(world, opened.fds)
            cgroup.create()
            cgroup.apply(resources)
            if not opened.fds:
                await shim.give_world(world, [])
                return
        with Opened() as opened:
            await shim.give_groups(opening.open_groups(opened, spec, cgroup), opened.fds)

    def _open_world(self, opened: Opened, request: SpawnRequest, spec: Spec, cgroup: Cgroup) -> World:
        rootfs = request["rootfs"]
        if not request.keys() & {"checkpoint", "runtime"} and opening.suits(spec, rootfs, self._seccomp, cgroup):
            try:
                return opening.open_world(opened, spec, request["bundle"], rootfs)
            except OSError:  # the runtime meets it again, and knows what to say of it
                opened.give_up()
        return opening.NO_WORLD

    async def adopt(self, container_id: str, cgroup: str) -> Shim | Exit | None:
        """Find out what became of a container that an earlier engine started.

        Returns its running shim; or its recorded exit, which stays recorded until :meth:`forget`; or None when there
        is no trace, or a trace that says nothing: then whatever is left in ``cgroup`` is killed.

        Raises:
            Unavailable: a shim lives and does not answer.
            OSError: EBUSY: something in the cgroup cannot be killed.
        """
        folder = self._run.shim(container_id)
        cgroup = folders.noted_cgroup(folder) or cgroup
        began = asyncio.get_running_loop().time()
        while True:
            dead, recorded = folders.is_dead(folder), folders.read_exit(folder)
            if dead:
                await asyncio.to_thread(folders.clear_cgroup, cgroup)
                if recorded is None:
                    folders.remove(folder)
                return recorded
            if recorded is None and (shim := await self._greet(folder, cgroup, container_id)) is not None:
                return shim
            waited_s = asyncio.get_running_loop().time() - began
            if recorded is not None and waited_s > _LEAVE_TIMEOUT_S:
                return recorded  # its shim waits for a client that reads nothing
            if waited_s > _ADOPT_TIMEOUT_S:
                raise Unavailable(f"the shim of container {container_id} does not answer")
            await asyncio.sleep(_POLL_S)

    async def abolish(self, container_id: str, cgroup: str) -> None:
        """End a container that nobody has a record of: kill it, wait, and remove every trace; idempotent.

        Raises:
            Unavailable: a shim lives and does not answer.
            OSError: EBUSY: something in the cgroup cannot be killed.
        """
        noted = folders.noted_cgroup(self._run.shim(container_id))
        found = await self.adopt(container_id, cgroup)
        if isinstance(found, Shim):
            await asyncio.to_thread(folders.kill_cgroup, found.cgroup)
            await asyncio.wait([found.released])
        await asyncio.to_thread(folders.clear_cgroup, noted or cgroup)
        self.forget(container_id)

    def forget(self, container_id: str) -> None:
        """Remove the folder of a shim whose exit is recorded, once the container is released; idempotent."""
        shim = self._shims.get(container_id)
        if shim is not None:
            shim.forget()
        else:
            folders.remove(self._run.shim(container_id))

    def _dispose(self, folder: Path) -> None:
        """Remove the folder of a shim: its name at once, the rest when there is time."""
        if self._later is None:
            folders.remove(folder)
        elif (grave := folders.bury(folder, self._run.graves)) is not None:
            self._later.do(partial(folders.remove, grave))

    async def aclose(self) -> None:
        """End the zygote and hang up on the shims, which go on; those that are about to leave are waited for."""
        if leaving := [shim.released for shim in self._shims.values() if shim.exited.done()]:
            await asyncio.wait(leaving, timeout=_LEAVE_TIMEOUT_S)
        for shim in list(self._shims.values()):
            await shim.aclose()
        self._shims.clear()
        if self._zygote is not None:
            zygote, self._zygote = self._zygote, None
            await zygote.end()

    def _live_zygote(self) -> zygotes.Zygote:
        if self._zygote is None:
            self._zygote = zygotes.start(self._entry, self._usual, self._open_files)
        return self._zygote

    async def _send(self, message: dict[str, Any], fds: list[int]) -> None:
        """Send the request to a zygote, to a new one if the old one has died."""
        for attempt in (1, 2):
            zygote = self._live_zygote()
            try:
                await zygote.request(message, fds)
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
        except asyncio.CancelledError as cancelled:
            try:
                await self._undo(shim, folder)
            except OSError as error:  # which must not take the place of what our caller waits for
                raise cancelled from error
            raise
        return shim

    async def _undo(self, shim: Shim, folder: Path) -> None:
        try:
            await shim.kill(9)
            await shim.exited
            await shim.released  # until then the shim writes into its folder
        except asyncio.CancelledError:
            return  # the engine closes
        except Conflict:  # it ends by itself
            await shim.abandon()
            return
        folders.remove(folder)

    async def _greet(self, folder: Path, cgroup: str, container_id: str) -> Shim | None:
        sock = folders.connect(folder)
        if sock is None:
            return None
        shim = self._know(Shim(folder, cgroup, sock, self._dispose), container_id)
        try:
            await shim.begun()
        except ProcessFailed:
            return None  # it ended before it had said anything; the next look tells
        return shim

    def _know(self, shim: Shim, container_id: str) -> Shim:
        def drop(_released: object) -> None:
            if self._shims.get(container_id) is shim:
                del self._shims[container_id]

        self._shims[container_id] = shim
        shim.released.add_done_callback(drop)
        return shim
