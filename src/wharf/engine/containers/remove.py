"""docker rm: the record goes before the folder, so that a crash between leaves only what a start sweeps."""

from __future__ import annotations

import asyncio
import signal as signals
from contextlib import suppress
from dataclasses import replace

from wharf.engine.containers import mounts, networking
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.forward import finish
from wharf.engine.containers.record import Container
from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.processes.shim import Shim
from wharf.spec.engine_api.container import HostConfig


async def remove(context: Context, ref: str, *, force: bool, volumes: bool, link: bool) -> None:
    """Remove a container, killing it first with ``force``; its anonymous volumes too with ``volumes``.

    Raises:
        NotFound: there is none of that name.
        Conflict: it runs, and ``force`` is not given.
    """
    if link:
        _unlink(context, ref)
        return
    container = context.registry.resolve(ref)
    if not force:
        require("remove", container.state, container_id=container.id, name=container.name)
    elif container.state.status == "removing":
        raise Conflict(f"removal of container {container.id} is already in progress")
    gone = container.watch(lambda state: state.status == "dead")
    ended = container.watch(lambda state: not state.alive)
    if container.state.alive and container.shim:
        await insist(context, container, container.shim)
        publish(context, container, "kill", signal=str(int(signals.SIGKILL)))
        await ended
    ended.cancel()
    async with container.lock:
        if container.id in context.registry:
            await erase(context, container, volumes=volumes)
    gone.cancel()


def _unlink(context: Context, ref: str) -> None:
    """Take a link, "container/alias", away; what runs keeps what it knows until its next start."""
    name, _, alias = ref.removeprefix("/").rpartition("/")
    if not name:
        raise InvalidArgument(f"Conflict, cannot remove the default link name of the container: {ref}")
    container = context.registry.resolve(name)
    links = container.spec.host_config.get("Links") or []
    kept = [link for link in links if link.rpartition("/")[2] != alias]
    if len(kept) == len(links):
        raise NotFound(f"No such container: {ref}")
    host: HostConfig = {**container.spec.host_config, "Links": kept or None}
    context.registry.respecify(container, replace(container.spec, host_config=host))


async def insist(context: Context, container: Container, shim: Shim) -> None:
    """Kill a container's init, also of one that is frozen; one that has just ended by itself is as good."""
    with suppress(Conflict):
        await shim.kill(signals.SIGKILL)
    if container.state.status == "paused":
        await asyncio.to_thread(context.cgroup_of(container).thaw)


async def erase(context: Context, container: Container, *, volumes: bool) -> None:
    """Remove all of a container that does not run; the caller holds its lock."""
    if container.restart and container.restart is not asyncio.current_task():
        container.restart.cancel()
    container.become(replace(container.state, status="removing", volumes_too=volumes))
    context.registry.save(container)
    container.drop_pending()
    await finish(container)
    await networking.release(context, container)
    await context.processes.emptied(container.id)
    if volumes:
        await mounts.remove_anonymous(context, container)
    with context.database.transaction():
        context.registry.discard(container)
        publish(context, container, "destroy")
    if free := context.snapshots.bury(container.id):
        context.later.do(free)
    if not context.images.size_of(container.image_id):  # removed by force meanwhile: its layers had only us
        context.background.finish(_let_go(context, container.chain_id), f"release layers of {container.id[:12]}")
    container.become(container.state.with_status("dead"))


async def _let_go(context: Context, chain_id: str) -> None:
    await context.images.release(chain_id)
