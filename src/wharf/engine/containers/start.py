"""docker start."""

from __future__ import annotations

from dataclasses import replace

from wharf.engine.containers import checkpoint, exits
from wharf.engine.containers.launch import launch
from wharf.engine.containers.state import require
from wharf.engine.context import Context


async def start(context: Context, ref: str, *, saved: str = "", saved_dir: str = "") -> None:
    """Start a container, or bring back the checkpoint ``saved`` of it, from ``saved_dir`` (``checkpoint.py``).

    Raises:
        NotFound: there is none of that name.
        NotModified: it runs already.
        InvalidArgument: its command cannot be executed; Docker's text says why.
        WharfError: it could not be set up otherwise (a port in use, a mount that fails).
    """
    container = context.registry.resolve(ref)
    folder = str(checkpoint.existing(context, container, saved, saved_dir)) if saved else ""
    async with container.lock:
        require("start", container.state, container_id=container.id, name=container.name)
        if container.restart:
            container.restart.cancel()
        container.restart_delay_s = 0.0
        container.become(replace(container.state, restart_count=0, stopped_by_user=False))
        exits.watch(context, container, await launch(context, container, checkpoint=folder))
