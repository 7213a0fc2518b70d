"""The one place that picks implementations: an engine, and the HTTP front on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from wharf.api import metrics
from wharf.api.connection import ConnectionFactory
from wharf.api.server import ApiServer
from wharf.daemon.serve import Options
from wharf.engine.engine import Engine
from wharf.engine.options import EngineOptions


@dataclass(frozen=True, slots=True)
class ServedEngine:
    """An engine with its fronts."""

    engine: Engine
    api: ApiServer
    prometheus: ApiServer

    @property
    def protocols(self) -> ConnectionFactory:
        """Makes the protocol of each connection to the API."""
        return self.api.protocols

    @property
    def metrics(self) -> ConnectionFactory:
        """Makes the protocol of each connection of Prometheus."""
        return self.prometheus.protocols

    async def reload(self, options: EngineOptions, attributes: Mapping[str, str]) -> None:
        """Give the engine other options."""
        await self.engine.reload(options, attributes)


async def _serve_figures(prometheus: ApiServer, made: socket.socket) -> asyncio.Server:
    """Serve figures to a metrics plugin."""
    return await asyncio.get_running_loop().create_unix_server(prometheus.protocols, sock=made)


@asynccontextmanager
async def api_on_engine(options: Options) -> AsyncIterator[ServedEngine]:
    """Open the engine that owns the data root and yield it with its fronts; at the end containers run on.

    Raises:
        WharfError: the engine cannot be opened.
    """
    async with Engine(options.data_root, options.exec_root, options.engine) as engine:
        api = ApiServer(engine)
        prometheus = ApiServer(engine, metrics.ROUTES)
        await engine.plugins.collectors.serve_by(partial(_serve_figures, prometheus))
        try:
            yield ServedEngine(engine, api, prometheus)
        finally:
            await engine.plugins.collectors.aclose()
            await prometheus.close()
            await api.close()
