"""What follows when a container's init has ended: record, release, then restart or remove as asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from wharf.engine.containers import mounts, networking, restart_policy
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.forward import forward
from wharf.engine.containers.launch import launch
from wharf.engine.containers.monitor import monitor
from wharf.engine.containers.record import Container
from wharf.engine.containers.remove import erase
from wharf.engine.context import Context, log
from wharf.errors import WharfError
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import Exit


def watch(context: Context, container: Container, shim: Shim) -> None:
    """See the container to its end, in the background."""
    context.background.start(_see_to_its_end(context, container, shim), f"watch {container.id[:12]}")
    monitor(context, container, shim)
    forward(context, container)


async def _see_to_its_end(context: Context, container: Container, shim: Shim) -> None:
    ended = await asyncio.shield(shim.exited)  # a cancelled wait must not cancel the exit: others hang on it
    async with container.lock:
        if container.shim is shim:
            await settle(context, container, ended)


async def settle(context: Context, container: Container, ended: Exit) -> None:
    """Record that a container has ended and do what follows; the caller holds its lock."""
    ran_s = seconds_between(ended["started_at"], ended["finished_at"])
    again = restart_policy.wants_restart(
        container.spec.host_config.get("RestartPolicy") or {},
        exit_code=ended["exit_code"],
        restart_count=container.state.restart_count,
        stopped_by_user=container.state.stopped_by_user,
        ailing=container.shim is not None and container.ailing is container.shim,
    )
    container.shim = container.ailing = None
    container.become(
        replace(
            container.state,
            status="restarting" if again else "exited",
            pid=0,
            exit_code=ended["exit_code"],
            oom_killed=ended["oom_killed"],
            started_at=ended["started_at"] or container.state.started_at,
            finished_at=ended["finished_at"],
            error=ended.get("error", ""),
            health=container.state.health.ended() if container.state.health else None,
        )
    )
    with context.database.transaction():
        context.registry.save(container)
        if ended["oom_killed"]:
            publish(context, container, "oom")
        publish(context, container, "die", exitCode=str(ended["exit_code"]), execDuration=str(int(ran_s)))
    if container.monitor is not None:
        container.monitor.cancel()
        container.monitor = None
    context.processes.forget(container.id)
    await networking.release(context, container)
    await mounts.unmount_volumes(context, container)
    if context.snapshots.roots.attaches:
        await asyncio.to_thread(context.snapshots.detach, container.id)
    if again:
        schedule(context, container, ran_s=ran_s)
    elif container.spec.host_config.get("AutoRemove") and not container.restarts_now:
        await erase(context, container, volumes=True)


def schedule(context: Context, container: Container, *, ran_s: float) -> None:
    """Start the container again after the policy's delay."""
    delay_s = restart_policy.next_delay_s(container.restart_delay_s, ran_s=ran_s)
    container.restart_delay_s = delay_s
    container.restart = context.background.start(
        _restart_after(context, container, delay_s), f"restart {container.name}"
    )


async def _restart_after(context: Context, container: Container, delay_s: float) -> None:
    await asyncio.sleep(delay_s)
    async with container.lock:
        container.restart = None
        if container.state.status != "restarting":
            return
        container.become(replace(container.state, restart_count=container.state.restart_count + 1))
        try:
            watch(context, container, await launch(context, container))
        except WharfError as error:
            log.warning("container %s was not restarted: %s", container.name, error)


def seconds_between(begin: str, end: str) -> float:
    """Return the seconds between two RFC 3339 times, 0 when one never came. Pure."""
    if begin.startswith("0001") or not begin:
        return 0.0
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())
