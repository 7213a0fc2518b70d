"""docker start."""

from __future__ import annotations

from dataclasses import replace

from wharf.engine.containers import exits
from wharf.engine.containers.launch import launch
from wharf.engine.containers.state import require
from wharf.engine.context import Context


async def start(context: Context, ref: str) -> None:
    """Start a container.

    Raises:
        NotFound: there is none of that name.
        NotModified: it runs already.
        InvalidArgument: its command cannot be executed; Docker's text says why.
        WharfError: it could not be set up otherwise (a port in use, a mount that fails).
    """
    container = context.registry.resolve(ref)
    async with container.lock:
        require("start", container.state, container_id=container.id, name=container.name)
        if container.restart:
            container.restart.cancel()
        container.restart_delay_s = 0.0
        container.become(replace(container.state, restart_count=0, stopped_by_user=False))
        exits.watch(context, container, await launch(context, container))
