"""A plugin's process: started, waited for until it listens, kept up, ended. It goes on without the engine."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Final

from wharf.engine.containers import devices, restart_policy
from wharf.engine.context import Context
from wharf.engine.ocispec.plugin import PluginInputs, host_config, of_plugin, shares_network
from wharf.engine.plugins.places import propagated_of, root_of, socket_of, streams_of
from wharf.engine.plugins.record import PluginRecord
from wharf.errors import Conflict, InvalidArgument, Unavailable, WharfError
from wharf.images.bridge import Blocking
from wharf.kernel import mount, unix_socket
from wharf.kernel.mount import MountFlag, UmountFlag
from wharf.lib.stdcopy import STDERR, Demultiplexer
from wharf.network import files
from wharf.processes.processes import ProcessFailed
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import Attachment, SpawnRequest
from wharf.storage import trees
from wharf.volumes.drivers import is_mounted

_log = logging.getLogger("wharf.plugin")
_STOP_S: Final = 10.0
_POLL_S: Final = 0.01
_CHUNK: Final = 1 << 16
_OUTPUT: Final[Attachment] = {"stdin": False, "stdout": True, "stderr": True}


Revived = Callable[[PluginRecord], Coroutine[object, object, None]]


class PluginProcess:
    """The process of one plugin that is enabled."""

    def __init__(self, context: Context, record: PluginRecord, revived: Revived | None = None) -> None:
        """``revived`` is awaited each time when it has been started anew."""
        self._context = context
        self._revived = revived
        self._record = record
        self._shim: Shim | None = None
        self._bundle = context.run.plugin(record.id)
        self._socket = socket_of(context.run, record)
        self._propagated = propagated_of(context.data, record)
        self._streams = streams_of(context.run, record)
        self._keeping: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._blocking = Blocking()

    @property
    def _cgroup(self) -> str:
        return f"/wharf/{self._context.data.key}/{self._record.id}"

    async def start(self, patience_s: float) -> None:
        """Start it, and wait until it listens; then it is kept up.

        Raises:
            InvalidArgument: its program cannot be executed, or a device or a mount is not there.
            Unavailable: it ends, or does not listen within ``patience_s``.
        """
        try:
            await self._begin()
            await self._listens(patience_s)
        except BaseException:
            await asyncio.shield(self.stop())
            raise
        self._keep()

    async def adopt(self) -> bool:
        """Take up the process that an earlier engine started; return False when there is none."""
        found = await self._context.processes.adopt(self._record.id, self._cgroup)
        if not isinstance(found, Shim):
            self._context.processes.forget(self._record.id)
            return False
        self._shim = found
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            theirs.setblocking(False)  # noqa: FBT003  # socket's own signature
            try:
                await found.attach(_OUTPUT, theirs)
            except Conflict:  # it has just ended; that is seen where it is kept up
                ours.close()
            else:
                self._read(ours)
        self._keep()
        return True

    async def stop(self) -> None:
        """End it, and let go of what was mounted for it; idempotent."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None
        if self._shim is not None:
            shim, self._shim = self._shim, None
            await _end(shim)
            shim.forget()
            await asyncio.wait([shim.released])
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=_STOP_S)
            self._reading.cancel()  # what shares the host's processes may have left some that hold its output
        await self._blocking.run(self._let_go)

    async def _begin(self) -> None:
        await self._blocking.run(self._prepare)  # its end is waited for: what it makes is taken away by stop
        record, context = self._record, self._context
        spec = of_plugin(
            PluginInputs(
                plugin_id=record.id,
                config=record.config,
                settings=record.settings,
                bundle=self._bundle,
                sockets=self._socket.parent,
                propagated=self._propagated,
                streams=self._streams,
                cgroups_path=self._cgroup,
                devices=devices.of_host_config(host_config(record.config, record.settings)),
                facts=context.facts,
            )
        )
        request: SpawnRequest = {
            "id": record.id,
            "bundle": str(self._bundle),
            "cgroup": self._cgroup,
            "terminal": False,
            "own_pids": not record.config.get("PidHost"),
            "rootfs": [
                {
                    "type": "bind",
                    "source": str(root_of(self._context.data, self._record)),
                    "options": ["bind", "private"],
                }
            ],
            "shim_dir": str(context.run.shim(record.id)),
            "seccomp_cache": str(context.run.seccomp),
            "open_stdin": False,
            "stdin_once": False,
            "log": {"driver": "none", "path": ""},
            "attachments": [_OUTPUT],
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            theirs.setblocking(False)  # noqa: FBT003  # likewise
            try:
                self._shim = await context.processes.spawn(request, spec, [theirs])
            except ProcessFailed as error:
                ours.close()
                raise InvalidArgument(f"plugin {record.name} cannot be started: {error.message}") from error
            except BaseException:
                ours.close()
                raise
        self._read(ours)

    def _prepare(self) -> None:
        bundle, sockets = self._bundle, self._socket.parent
        for folder in (sockets, bundle / "rootfs", self._propagated, *([self._streams] if self._streams else [])):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        trees.empty(sockets)  # of a process that was killed: whatever it had put there, nobody listens
        self._write_network_files(bundle)
        if self._record.config.get("PropagatedMount") and not is_mounted(self._propagated):
            mount.mount(
                str(self._propagated),
                str(self._propagated),
                None,
                MountFlag.BIND,
            )
            mount.mount(None, str(self._propagated), None, MountFlag.SHARED | MountFlag.REC)

    def _write_network_files(self, bundle: Path) -> None:
        own = shares_network(self._record.config)
        texts = {
            "hostname": f"{self._record.id[:12]}\n",
            "hosts": files.hosts(own=[], gateways=[], extra_hosts=[], base=_text("/etc/hosts") if own else ""),
            "resolv.conf": files.resolv_conf(_text("/etc/resolv.conf"), keep_loopback=own),
        }
        for name, text in texts.items():
            (bundle / name).write_text(text)

    def _let_go(self) -> None:
        while is_mounted(self._propagated):
            mount.umount(str(self._propagated), UmountFlag.DETACH)
        bundle, sockets = self._bundle, self._socket.parent
        for folder in (sockets, *([self._streams] if self._streams else [])):
            with suppress(FileNotFoundError):
                trees.empty(folder)  # the sockets' alone of all this is the plugin's to write to
        with suppress(FileNotFoundError):
            for name in os.listdir(bundle):
                child = bundle / name
                child.rmdir() if child.is_dir() else child.unlink()
            bundle.rmdir()

    async def _listens(self, patience_s: float) -> None:
        """Wait until somebody takes connections at its socket: nothing tells of that."""
        shim, end = self._shim, time.monotonic() + patience_s
        assert shim is not None
        while not _answers(self._socket):
            if shim.exited.done():
                code = shim.exited.result()["exit_code"]
                raise Unavailable(
                    f"plugin {self._record.name} ended with exit code {code} before it listened at "
                    f"{self._record.socket}: what it said is in the daemon's log"
                )
            if time.monotonic() > end:
                raise Unavailable(f"plugin {self._record.name} does not listen at {self._record.socket}")
            await asyncio.wait([shim.exited], timeout=_POLL_S)

    def _keep(self) -> None:
        self._keeping = self._context.background.start(self._keep_up(), f"plugin {self._record.id[:12]}")

    async def _keep_up(self) -> None:
        """Start it again whenever it ends, each time later, as containers that are always restarted."""
        delay_s, began = 0.0, time.monotonic()
        while True:
            if (shim := self._shim) is not None:
                await asyncio.wait([shim.exited])
                if shim.exited.cancelled():  # the engine closes
                    return
                self._shim = None
                code = shim.exited.result()["exit_code"]
                _log.warning("plugin %s ended with exit code %d", self._record.name, code)
                shim.forget()
            delay_s = restart_policy.next_delay_s(delay_s, ran_s=time.monotonic() - began)
            await asyncio.sleep(delay_s)
            began = time.monotonic()
            try:
                await self._begin()
            except (WharfError, OSError) as error:
                _log.error("plugin %s does not start again: %s", self._record.name, error)
            else:
                if self._revived is not None:
                    self._context.background.start(
                        self._revived(self._record), f"revive plugin {self._record.id[:12]}"
                    )

    def _read(self, stream: socket.socket) -> None:
        stream.setblocking(False)  # noqa: FBT003  # socket's own signature
        self._reading = self._context.background.start(self._tell(stream), f"output of plugin {self._record.id[:12]}")

    async def _tell(self, stream: socket.socket) -> None:
        """Put what it says into the log of the engine, a line at a time."""
        loop, demultiplexer = asyncio.get_running_loop(), Demultiplexer()
        rests = {1: b"", 2: b""}
        with stream:
            while chunk := await loop.sock_recv(stream, _CHUNK):
                for number, data in demultiplexer.feed(chunk):
                    *lines, rest = (rests.get(number, b"") + data).split(b"\n")
                    rests[number] = rest[-_CHUNK:]
                    for line in lines:
                        self._say(number, line)
        for number, rest in rests.items():
            if rest:
                self._say(number, rest)

    def _say(self, number: int, line: bytes) -> None:
        level = logging.ERROR if number == STDERR else logging.INFO
        _log.log(level, "%s plugin=%s", line.decode(errors="replace"), self._record.id)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # noqa: FBT003  # socket's own signature
        try:
            unix_socket.at(str(path), probe.connect)
        except BlockingIOError:  # it listens, to more than it has taken yet
            return True
        except OSError:
            return False
    return True


async def _end(shim: Shim) -> None:
    with suppress(Conflict):  # it ended by itself
        await shim.kill(15)
        await asyncio.wait([shim.exited], timeout=_STOP_S)
        if not shim.exited.done():
            await shim.kill(9)
    await asyncio.wait([shim.exited])


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except FileNotFoundError:
        return ""
