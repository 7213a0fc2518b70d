"""docker kill, pause and unpause."""

from __future__ import annotations

import asyncio
import signal as signals
from dataclasses import replace

from wharf.engine.containers.attributes import publish
from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere, Unavailable
from wharf.lib.signals import parse_signal


async def kill(context: Context, ref: str, *, signal: str | None) -> None:
    """Send ``signal`` (SIGKILL when None) to a container's init; SIGKILL is waited for.

    Raises:
        InvalidArgument: there is no such signal.
        Conflict: it does not run.
    """
    try:
        container = context.registry.resolve(ref)
        number = parse_signal(signal or "SIGKILL")
    except (NotFound, InvalidArgument) as error:
        raise type(error)(f"cannot kill container: {ref}: {error}") from error
    async with container.lock:
        require("kill", container.state, container_id=container.id, name=ref)
        if number in (signals.SIGKILL, parse_signal(container.spec.config.get("StopSignal") or "SIGTERM")):
            container.become(replace(container.state, stopped_by_user=True))
            context.registry.save(container)
        shim, paused = container.shim, container.state.status == "paused"
    ended = container.watch(lambda state: not state.alive)
    if shim:
        await shim.kill(number)
    publish(context, container, "kill", signal=str(number))
    if number == signals.SIGKILL:
        if paused:
            await asyncio.to_thread(context.cgroup_of(container).thaw)
        await ended
    ended.cancel()


async def pause(context: Context, ref: str) -> None:
    """Freeze every process of a container.

    Raises:
        Conflict: it does not run, or is paused already.
        NotImplementedHere: there is no freezer.
    """
    container = context.registry.resolve(ref)
    async with container.lock:
        require("pause", container.state, container_id=container.id, name=container.name)
        if "freezer" not in context.facts.controllers:
            raise NotImplementedHere(
                "this engine cannot pause containers: no control group freezer is there, or delegated to its user"
            )
        try:
            await asyncio.to_thread(context.cgroup_of(container).freeze)
        except FileNotFoundError as error:  # its group has gone: it has ended, and that is not recorded yet
            raise Conflict(f"container {container.id} is not running") from error
        except TimeoutError as error:
            raise Unavailable(f"cannot pause container {container.id}: some process of it did not stop") from error
        container.become(container.state.with_status("paused"))
        context.registry.save(container)
    publish(context, container, "pause")


async def unpause(context: Context, ref: str) -> None:
    """Thaw a container.

    Raises:
        Conflict: it is not paused.
    """
    container = context.registry.resolve(ref)
    async with container.lock:
        require("unpause", container.state, container_id=container.id, name=container.name)
        await asyncio.to_thread(context.cgroup_of(container).thaw)
        container.become(container.state.with_status("running"))
        context.registry.save(container)
    publish(context, container, "unpause")
