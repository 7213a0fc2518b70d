"""docker stop and restart: ask with the stop signal, then insist."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from signal import SIGKILL

from wharf.engine.containers import exits
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.launch import launch
from wharf.engine.containers.record import Container
from wharf.engine.containers.remove import erase, insist
from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.errors import Conflict, WharfError
from wharf.lib.signals import parse_signal

DEFAULT_TIMEOUT_S = 10


async def stop(context: Context, ref: str, *, signal: str | None, timeout_s: int | None) -> None:
    """Stop a container: its stop signal, and SIGKILL after ``timeout_s`` (negative: never).

    Raises:
        NotModified: it does not run.
    """
    container = context.registry.resolve(ref)
    require("stop", container.state, container_id=container.id, name=container.name)
    await _end(context, container, signal, timeout_s)
    publish(context, container, "stop")


async def restart(context: Context, ref: str, *, signal: str | None, timeout_s: int | None) -> None:
    """Stop a container if it runs, then start it."""
    container = context.registry.resolve(ref)
    if container.state.status == "removing":
        require("start", container.state, container_id=container.id, name=container.name)
    container.restarts_now += 1
    try:
        if container.state.alive:
            await _end(context, container, signal, timeout_s)
            publish(context, container, "stop")
        async with container.lock:  # held by what follows the end, until all is given back
            if container.state.status in ("removing", "dead"):
                require("start", container.state, container_id=container.id, name=container.name)
            container.become(replace(container.state, restart_count=0, stopped_by_user=False))
            if not container.state.alive:
                try:
                    shim = await launch(context, container)
                except WharfError as error:
                    raise WharfError(f"Cannot restart container {ref}: {error}") from error
                exits.watch(context, container, shim)
    except BaseException:  # who asked has hung up between the end and the start
        context.background.start(_go(context, container), f"remove {container.id[:12]}")
        raise
    finally:
        container.restarts_now -= 1
    publish(context, container, "restart")


async def _go(context: Context, container: Container) -> None:
    """Remove a container of --rm that was kept for a restart which has not come to be."""
    async with container.lock:
        left = container.state.status == "exited" and container.id in context.registry
        if left and container.spec.host_config.get("AutoRemove") and not container.restarts_now:
            await erase(context, container, volumes=True)


async def _end(context: Context, container: Container, signal: str | None, timeout_s: int | None) -> None:
    number = parse_signal(signal or container.spec.config.get("StopSignal") or "SIGTERM")
    if timeout_s is None:
        timeout_s = container.spec.config.get("StopTimeout")
    if timeout_s is None:
        timeout_s = context.options.containers.stop_timeout_s
    if timeout_s is None:
        timeout_s = DEFAULT_TIMEOUT_S
    ended = container.watch(lambda state: state.status in ("exited", "dead", "removing"))
    async with container.lock:
        container.become(replace(container.state, stopped_by_user=True))
        context.registry.save(container)
        if container.state.status == "restarting":
            _cancel_restart(context, container)
            return
        if container.shim is None:
            return
        shim = container.shim
    with suppress(Conflict):  # it has just ended by itself
        await shim.kill(number)
        publish(context, container, "kill", signal=str(int(number)))
    if container.state.status == "paused":
        await asyncio.to_thread(context.cgroup_of(container).thaw)
    try:
        async with asyncio.timeout(None if timeout_s < 0 else timeout_s):
            await asyncio.shield(ended)
    except TimeoutError:
        await insist(context, container, shim)
        publish(context, container, "kill", signal=str(int(SIGKILL)))
        await ended


def _cancel_restart(context: Context, container: Container) -> None:
    if container.restart:
        container.restart.cancel()
        container.restart = None
    container.become(container.state.with_status("exited"))
    context.registry.save(container)
