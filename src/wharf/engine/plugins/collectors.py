"""Metrics plugins: each finds a socket where figures can be read, and is told when (docker docs, "Metrics plugins").

The socket is in what its PropagatedMount is, which must be ``/run/docker``: there it sees ``metrics.sock`` of each
engine that starts. What is served there is the daemon's business (:meth:`Collectors.serve_by`).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from wharf.engine.context import Context, log
from wharf.engine.plugins.config import COLLECTOR, capabilities
from wharf.engine.plugins.places import address_of, propagated_of
from wharf.engine.plugins.record import PluginRecord
from wharf.errors import WharfError
from wharf.kernel import unix_socket
from wharf.plugins.calls import call
from wharf.plugins.threads import asked

Serve = Callable[[socket.socket], Awaitable[asyncio.Server]]
"""Serves figures to who connects to a socket that listens, which becomes its own."""

_KIND: Final = "MetricsCollector"
_STOP_S: Final = 5


class Collectors:
    """The metrics plugins of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._serve: Serve | None = None
        self._servers: dict[str, tuple[asyncio.Server, PluginRecord]] = {}

    async def serve_by(self, serve: Serve) -> None:
        """Serve figures from now on, to the plugins that are enabled and those that will be."""
        self._serve = serve
        for record in [*self._context.plugins]:
            if record.enabled:
                await self.begin(record)

    async def begin(self, record: PluginRecord) -> None:
        """Let a plugin that has started read figures, if it is one that does; what fails is told of in the log."""
        if self._serve is None or COLLECTOR not in capabilities(record.config):
            return
        try:
            if record.id not in self._servers:
                self._servers[record.id] = await self._serve(_listening(self._path(record))), record
            await self._tell("StartMetrics", record)
        except (WharfError, OSError) as error:
            log.warning("metrics plugin %s reads no figures: %s", record.name, error)

    async def end(self, record: PluginRecord) -> None:
        """Serve a plugin no more; idempotent."""
        server, _ = self._servers.pop(record.id, (None, None))
        if server is None:
            return
        try:
            await self._tell("StopMetrics", record)
        except WharfError as error:
            log.warning("metrics plugin %s: %s", record.name, error)
        server.close()
        with suppress(FileNotFoundError):
            self._path(record).unlink()

    async def aclose(self) -> None:
        """Serve nobody any more."""
        await asyncio.gather(*(self.end(record) for _, record in [*self._servers.values()]))
        self._serve = None

    def _path(self, record: PluginRecord) -> Path:
        return propagated_of(self._context.data, record) / "metrics.sock"

    async def _tell(self, method: str, record: PluginRecord) -> None:
        address = replace(address_of(self._context.run, record), timeout_s=record.timeout_s or _STOP_S)
        await asked(call, f"metrics plugin {record.name}", address, f"/{_KIND}.{method}", {})


def _listening(path: Path) -> socket.socket:
    """Return a socket that listens at a path, in place of what a killed engine or the plugin itself has put there."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(made.fileno(), 0o600)  # before it has a name that the plugin may change
        unix_socket.at(str(path), made.bind)
        made.listen()
        made.setblocking(False)  # noqa: FBT003  # socket's own signature
    except BaseException:
        made.close()
        raise
    return made
