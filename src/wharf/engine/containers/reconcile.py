"""What an engine does when it starts: compare its records with what really runs, and make them agree."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from dataclasses import replace

from wharf.engine.containers import exits, mounts, networking, refusals, restart_policy
from wharf.engine.containers.forward import forward
from wharf.engine.containers.launch import launch, record_failure
from wharf.engine.containers.record import Container
from wharf.engine.containers.remove import erase, insist
from wharf.engine.containers.state import State
from wharf.engine.context import Context, log
from wharf.errors import WharfError
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import Exit

_LOST = 255
"""The exit code of a container that ended while nobody could see how (a reboot, a killed shim)."""


async def reconcile(context: Context) -> None:
    """Find the shims that live, settle what has ended, sweep what has no record, start what policies want."""
    before = {container.id: container.state for container in context.registry}
    found = {container.id: await _adopt(context, container) for container in context.registry}
    await _sweep(context)
    shims = {container_id: what for container_id, what in found.items() if isinstance(what, Shim)}
    live = set(shims)
    await context.volumes.settle(_volumes_of(context, live))
    if context.snapshots.roots.attaches:
        for container_id in found.keys() - live:
            await asyncio.to_thread(context.snapshots.detach, container_id)
    endpoints = await context.networks.start(live, {port for shim in shims.values() for port in shim.ports})
    for container in context.registry:
        await networking.settle(context, container, endpoints.get(container.id, []))
        async with container.lock:
            await _agree(context, container, found[container.id])
    for container in context.registry:
        forward(context, container)  # what was written while no engine ran
        await _start_by_policy(context, container, before[container.id])


def _volumes_of(context: Context, live: Collection[str]) -> dict[str, list[str]]:
    """Return the containers that live, by the volumes they have."""
    found: dict[str, list[str]] = {}
    for container_id in live:
        for point in context.registry.resolve(container_id).spec.mounts:
            if point.get("Type") == "volume":
                found.setdefault(point.get("Name") or "", []).append(container_id)
    return found


async def _adopt(context: Context, container: Container) -> Shim | Exit | None:
    return await context.processes.adopt(container.id, context.cgroups_path(container))


async def _sweep(context: Context) -> None:
    """Remove folders, volumes, shims and cgroups of ids without a record: their create or remove was cut short."""
    for container_id in await asyncio.to_thread(context.snapshots.container_ids):
        if container_id not in context.registry:
            await asyncio.to_thread(context.snapshots.discard, container_id)
    await _settle_volumes(context)


async def _settle_volumes(context: Context) -> None:
    """Keep the new volumes of containers that have a record, and remove those of the others."""
    for container_id in await asyncio.to_thread(context.volumes.unsettled):
        if container_id in context.registry:
            mounts.keep_volumes(context, context.registry.resolve(container_id).spec.mounts)
        else:
            await context.volumes.remove_made_for(container_id)


async def end_strangers(context: Context) -> None:
    """End what no container's record explains: a build's command, or a container whose create was cut short.

    Comes before stores are swept, for such a process may still write to what is swept.
    """
    shims = context.run.shims
    for container_id in os.listdir(shims) if shims.exists() else []:
        if container_id not in context.registry and container_id not in context.plugins:
            await context.processes.abolish(container_id, f"/wharf/{context.data.key}/{container_id}")


async def _agree(context: Context, container: Container, found: Shim | Exit | None) -> None:
    if container.state.status == "removing":
        await _end_of(context, container, found)
        await erase(context, container, volumes=container.state.volumes_too)
    elif found is None and container.spec.owned and container.state.status == "created":
        await erase(context, container, volumes=True)  # its program was killed before it had started it
    elif isinstance(found, Shim):
        _go_on(context, container, found)
    elif found is not None and "failure" in found:
        record_failure(context, container, refusals.of_create(found["failure"]["message"]))
        context.processes.forget(container.id)
    elif found is not None and not _is_settled(container.state, found):
        await exits.settle(context, container, found)
    elif container.state.alive:
        await exits.settle(context, container, _lost(container.state, context.clock.now()))
    elif container.state.status == "restarting":
        container.become(container.state.with_status("exited"))
        context.registry.save(container)
    if found is not None and not isinstance(found, Shim):
        context.processes.forget(container.id)


def _is_settled(state: State, found: Exit) -> bool:
    """An engine was killed after it had recorded an exit, before the shim's folder was gone."""
    return not state.alive and state.finished_at == found["finished_at"]


async def _end_of(context: Context, container: Container, found: Shim | Exit | None) -> None:
    if isinstance(found, Shim):
        await insist(context, container, found)
        await asyncio.to_thread(context.cgroup_of(container).thaw)
        await found.exited
        context.processes.forget(container.id)


def _go_on(context: Context, container: Container, shim: Shim) -> None:
    container.shim = shim
    networking.keep_ports(context, container, shim)
    frozen = context.cgroup_of(container).frozen()
    container.become(
        replace(
            container.state,
            status="paused" if frozen else "running",
            pid=shim.pid,
            started_at=shim.started_at,
            exit_code=0,
            error="",
        )
    )
    context.registry.save(container)
    exits.watch(context, container, shim)


def _lost(state: State, now: str) -> Exit:
    return {
        "pid": state.pid,
        "exit_code": _LOST,
        "oom_killed": False,
        "started_at": state.started_at,
        "finished_at": now,
    }


async def _start_by_policy(context: Context, container: Container, before: State) -> None:
    if container.id not in context.registry or container.state.status not in ("exited", "created"):
        return
    policy = container.spec.host_config.get("RestartPolicy") or {}
    was_alive = before.alive or before.status == "restarting"
    if not restart_policy.wants_start_with_engine(
        policy, was_alive=was_alive, stopped_by_user=before.stopped_by_user
    ):
        return
    async with container.lock:
        try:
            exits.watch(context, container, await launch(context, container))
        except WharfError as error:
            log.warning("container %s was not started: %s", container.name, error)
