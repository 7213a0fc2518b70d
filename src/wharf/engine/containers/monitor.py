"""Watches a container's health: probes it by exec at its intervals, and records what comes of it."""

from __future__ import annotations

import asyncio
import secrets
import signal as signals
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from wharf.engine.containers import restart_policy
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.health import COULD_NOT_RUN, KEPT_OUTPUT_BYTES, Check, Health, Result, check_of, text
from wharf.engine.containers.record import Container
from wharf.engine.containers.remove import insist
from wharf.engine.context import Context
from wharf.engine.ocispec import process as processes
from wharf.errors import Conflict, WharfError
from wharf.lib.durations import go_duration
from wharf.lib.moments import to_ns
from wharf.lib.signals import parse_signal
from wharf.lib.stdcopy import Demultiplexer
from wharf.processes.processes import ProcessFailed
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import ExecRequest

_NS: Final = 1_000_000_000
_STOP_TIMEOUT_S: Final = 10


def monitor(context: Context, container: Container, shim: Shim) -> None:
    """Probe the container in the background for as long as ``shim`` is its own, if a check is asked for."""
    if (check := check_of(container.spec.config)) is not None:
        container.monitor = context.background.start(
            _watch(context, container, shim, check), f"health {container.id[:12]}"
        )


async def _watch(context: Context, container: Container, shim: Shim, check: Check) -> None:
    await _end_strays(container, shim)
    started_ns = to_ns(container.state.started_at)
    while container.shim is shim and (health := container.state.health) is not None:
        since_start_ns = to_ns(context.clock.now()) - started_ns
        await asyncio.sleep(check.pause_ns(health, since_start_ns) / _NS)
        if container.state.status == "running" and container.shim is shim:
            since_start_ns = to_ns(context.clock.now()) - started_ns
            result = await _probe(context, container, shim, check)
            change = partial(Health.after, result=result, check=check, since_start_ns=since_start_ns)
            if await _note(context, container, shim, change):
                await _begin_again(context, container, shim)


async def _note(context: Context, container: Container, shim: Shim, change: Callable[[Health], Health]) -> bool:
    """Record what a result means; return whether the container is to be restarted for it."""
    async with container.lock:
        before = container.state.health
        if container.shim is not shim or before is None:
            return False
        health = change(before)
        container.become(replace(container.state, health=health))
        context.registry.save(container)
        if health.status == before.status:
            return False
        publish(context, container, f"health_status: {health.status}")
        return health.status == "unhealthy" and restart_policy.restarts_unhealthy(
            container.spec.host_config.get("RestartPolicy") or {}, restart_count=container.state.restart_count
        )


async def _begin_again(context: Context, container: Container, shim: Shim) -> None:
    """End a container that has become unhealthy; its policy starts it again (``exits.settle``)."""
    container.ailing = shim
    ended = container.watch(lambda state: not state.alive)
    timeout_s = container.spec.config.get("StopTimeout")
    try:
        with suppress(Conflict):  # it has just ended by itself
            await shim.kill(parse_signal(container.spec.config.get("StopSignal") or "SIGTERM"))
        async with asyncio.timeout(_STOP_TIMEOUT_S if timeout_s is None else max(0, timeout_s)):
            await asyncio.shield(ended)
    except TimeoutError:
        await insist(context, container, shim)
    finally:
        ended.cancel()


def _exec_id(container: Container) -> str:
    """Return the id of a probe's exec: it begins with the container's, so that the next engine knows it."""
    return container.id[:16] + secrets.token_hex(24)


async def _end_strays(container: Container, shim: Shim) -> None:
    """End the probe that an earlier engine left running: nobody will ask how it ended."""
    for exec_id in shim.execs():
        if exec_id.startswith(container.id[:16]):
            with suppress(Conflict):
                await shim.exec_kill(exec_id, signals.SIGKILL)


async def _probe(context: Context, container: Container, shim: Shim, check: Check) -> Result:
    context.measures.count("health_checks")
    began = context.clock.now()
    exec_id, command = _exec_id(container), " ".join(check.command)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)  # noqa: FBT003  # socket's own signature
    theirs.setblocking(False)  # noqa: FBT003  # likewise
    publish(context, container, f"exec_create: {command}", execID=exec_id)
    publish(context, container, f"exec_start: {command}", execID=exec_id)
    with ours:
        try:
            with theirs:
                await shim.exec(_request(context, container, exec_id, check), theirs)
        except (ProcessFailed, WharfError) as error:
            context.measures.count("health_checks_failed")
            return Result(began, context.clock.now(), COULD_NOT_RUN, str(error))
        output = bytearray()
        try:
            async with asyncio.timeout(check.timeout_ns / _NS):
                await _collect(ours, output)
                code = await asyncio.shield(shim.exec_exited(exec_id))
        except TimeoutError:
            with suppress(Conflict):
                await shim.exec_kill(exec_id, signals.SIGKILL)
            code = COULD_NOT_RUN
            output = bytearray(f"Health check exceeded timeout ({go_duration(check.timeout_ns)})".encode()) + (
                b": " + output if output else b""
            )
        finally:
            shim.forget_exec(exec_id)
    publish(context, container, "exec_die", execID=exec_id, exitCode=str(code))
    return Result(began, context.clock.now(), code, text(bytes(output)))


def _request(context: Context, container: Container, exec_id: str, check: Check) -> ExecRequest:
    process = processes.of_exec(
        container.spec.config, container.spec.host_config, {"Cmd": list(check.command)}, context.facts
    )
    return {
        "exec_id": exec_id,
        "process": process,
        "attachment": {"stdin": False, "stdout": True, "stderr": True},
    }


async def _collect(stream: socket.socket, output: bytearray) -> None:
    """Add what a probe writes to ``output`` until it ends; what is over the limit is read and dropped."""
    loop, frames = asyncio.get_running_loop(), Demultiplexer()
    while data := await loop.sock_recv(stream, 65536):
        for _, payload in frames.feed(data):
            output += payload[: max(0, KEPT_OUTPUT_BYTES + 1 - len(output))]
