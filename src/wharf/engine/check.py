"""wharf system check: whether all that is stored is whole, of images, containers, volumes and builds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.images.check import Depth, Finding


async def check(context: Context, depth: Depth) -> AsyncGenerator[Finding]:
    """Yield what is wrong, as it is found, and mend what can be mended when that is wanted."""
    for problem in await asyncio.to_thread(context.database.problems):
        yield Finding("database", str(context.data.database), problem, "restore it from a copy")
    async with aclosing(context.images.check(depth)) as findings:
        async for finding in findings:
            yield finding
    for container in list(context.registry):
        for problem in await asyncio.to_thread(_of_container, context, container):
            yield Finding("container", container.name, problem, f"wharf rm -f {container.name}")
    for chain_id, step in await asyncio.to_thread(
        context.database.query, "SELECT chain_id, description FROM build_cache WHERE chain_id <> ''"
    ):
        if not context.snapshots.exists(str(chain_id)):
            yield Finding("build", str(step), f"layer {chain_id!s} is missing", "wharf builder prune")
    for (name,) in await asyncio.to_thread(context.database.query, "SELECT name FROM volumes WHERE driver = 'local'"):
        if not context.data.volume(str(name)).is_dir():
            yield Finding("volume", str(name), "its folder is missing", f"wharf volume rm {name!s}")


def _of_container(context: Context, container: Container) -> list[str]:
    """Return what a container lacks to be started."""
    found = []
    if not (context.data.container(container.id) / "upper").is_dir():
        found.append("its own layer is missing")
    if container.chain_id and not context.snapshots.exists(container.chain_id):
        found.append(f"layer {container.chain_id} of its image is missing")
    if container.id not in context.registry:  # removed meanwhile
        return []
    return found
