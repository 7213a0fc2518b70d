"""The one place that picks implementations: an engine, and the HTTP front on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wharf.api.server import ApiServer
from wharf.engine.engine import Engine


@asynccontextmanager
async def api_on_engine(data_root: Path) -> AsyncIterator[ApiServer]:
    """Open the engine that owns ``data_root`` and yield its API; at the end containers run on.

    Raises:
        WharfError: the engine cannot be opened.
    """
    async with Engine(data_root) as engine:
        server = ApiServer(engine)
        try:
            yield server
        finally:
            await server.close()
