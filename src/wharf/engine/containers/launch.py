"""Bring a container to life: network, files, OCI configuration, then the shim; undone when a step fails."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace

from wharf.engine.containers import (
    devices,
    forward,
    init,
    links,
    mounts,
    networking,
    refusals,
    user_namespace,
    vendor_devices,
)
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.health import Health, check_of
from wharf.engine.containers.record import Container
from wharf.engine.containers.refusals import Refusal
from wharf.engine.containers.remove import erase
from wharf.engine.context import Context
from wharf.engine.logs.delivery import cursor_of
from wharf.engine.logs.options import delivers, rotation, waits
from wharf.engine.ocispec.build import build
from wharf.engine.ocispec.inputs import Inputs
from wharf.engine.ocispec.process import merge_env
from wharf.processes.processes import ProcessFailed
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import LogOptions, MadeBy


async def launch(context: Context, container: Container, *, checkpoint: str = "") -> Shim:
    """Start a container whose lock the caller holds, and who then watches the shim (``exits.watch``).

    ``checkpoint`` is the folder of what was saved of it, to be brought back; "" starts it anew.

    Raises:
        InvalidArgument: its command cannot be executed; Docker's text says why.
        WharfError: it could not be set up otherwise (a port in use, a mount that fails).
    """
    try:
        with ExitStack() as held:
            shim = await _set_up(context, container, checkpoint, held)
    except BaseException as error:
        container.drop_pending()
        await asyncio.shield(_let_go(context, container))
        refusal = refusals.of_create(error.message) if isinstance(error, ProcessFailed) else None
        record_failure(context, container, refusal or Refusal(str(error), refusals.NOT_STARTED))
        if container.spec.host_config.get("AutoRemove"):
            await erase(context, container, volumes=True)
        if refusal is not None:
            raise refusal.error() from error
        raise
    container.shim, container.steps_us = shim, shim.steps_us
    with context.database.transaction():
        _note_start(context, container, shim)
    links.renew(context, container)
    return shim


def _note_start(context: Context, container: Container, shim: Shim) -> None:
    container.become(
        replace(
            container.state,
            status="running",
            pid=shim.pid,
            exit_code=0,
            error="",
            oom_killed=False,
            started_at=shim.started_at,
            health=(container.state.health or Health()).begun() if check_of(container.spec.config) else None,
        )
    )
    context.registry.save(container)
    publish(context, container, "start")


async def _let_go(context: Context, container: Container) -> None:
    await forward.drop_receiver(container)
    await networking.release(context, container)
    await mounts.unmount_volumes(context, container)


async def _set_up(context: Context, container: Container, checkpoint: str, held: ExitStack) -> Shim:
    began = time.perf_counter_ns()
    await forward.require_receiver(context, container)
    linked = links.running(context, container)
    await mounts.mount_volumes(context, container)
    user = user_namespace.prepare(context, container, held)
    attached = await networking.attach(context, container, user.origin if user else None)
    networked = time.perf_counter_ns()
    folder = context.data.container(container.id)
    inputs = await _inputs(context, container, attached.sandbox)
    if user:
        inputs = replace(inputs, user=await user.enter(attached.sandbox))
    if linked:
        env = merge_env(links.variables(linked, container.name), inputs.config.get("Env") or [])
        inputs = replace(inputs, config={**inputs.config, "Env": env})
    spec = build(inputs)
    spec = vendor_devices.with_devices(spec, container.spec.host_config, context.options.device_folders)
    networking.write_files(context, container, attached)
    networking.add_hosts(context, container, links.host_lines(linked))
    if context.snapshots.roots.attaches:
        await asyncio.to_thread(context.snapshots.attach, container.id, container.chain_id)
    bundled = time.perf_counter_ns()
    pending, container.pending = container.pending, []
    try:
        shim = await context.processes.spawn(
            {
                "id": container.id,
                "bundle": str(folder),
                "cgroup": context.cgroups_path(container),
                **_maker(context, container),
                "terminal": bool(container.spec.config.get("Tty")),
                "own_pids": any(n["type"] == "pid" and not n.get("path") for n in spec["linux"]["namespaces"]),
                **user_namespace.rooted(
                    [context.snapshots.mount_of(container.id, container.chain_id)],
                    inputs.user.ids if inputs.user else None,
                ),
                "shim_dir": str(context.run.shim(container.id)),
                "seccomp_cache": str(context.run.seccomp),
                "open_stdin": bool(container.spec.config.get("OpenStdin")),
                "stdin_once": bool(container.spec.config.get("StdinOnce")),
                "log": _log_options(context, container),
                "attachments": [attachment for attachment, _ in pending],
                **({"hooked": True} if spec.get("hooks") else {}),  # type: ignore[typeddict-item]  # its own field
                **({"checkpoint": checkpoint} if checkpoint else {}),  # type: ignore[typeddict-item]  # the same
            },
            spec,
            [stream for _, stream in pending],
        )
    finally:
        for _, stream in pending:
            stream.close()
    networking.keep_ports(context, container, shim)
    steps = {"network": networked - began, "bundle": bundled - networked, "spawn": time.perf_counter_ns() - bundled}
    shim.steps_us.update({f"engine.{name}": ns // 1000 for name, ns in steps.items()})
    return shim


def _maker(context: Context, container: Container) -> MadeBy:
    found: MadeBy = {}
    if scope := context.scope_of(container):
        found["scope"] = scope
    if runtime := context.options.runtimes.find(container.spec.host_config.get("Runtime") or ""):
        found["runtime"] = runtime
    return found


async def _inputs(context: Context, container: Container, sandbox: str | None) -> Inputs:
    spec, roots = container.spec, context.snapshots.roots
    images: dict[str, str] = {}
    if roots.copies or roots.attaches:  # otherwise the runtime mounts their layers itself
        images = await asyncio.to_thread(mounts.place_images, context, container)
    return Inputs(
        container_id=container.id,
        name=container.name,
        config=spec.config,
        host_config=devices.with_numbers(spec.host_config),
        argv=[*([init.PATH, "--"] if init.wanted(spec.host_config) else []), spec.path, *spec.args],
        hostname=networking.hostname(container),
        folder=context.data.container(container.id),
        cgroups_path=context.cgroups_path(container),
        sandbox=sandbox,
        mounts=[
            *mounts.resolved(context, container, images),
            *([init.mount(init.find(context.options.containers.init_path))] if init.wanted(spec.host_config) else []),
        ],
        devices=devices.of_host_config(spec.host_config),
        joined=networking.joined(context, container),
        facts=context.facts,
    )


def _log_options(context: Context, container: Container) -> LogOptions:
    driver, settings = forward.driver_of(container)
    chosen = rotation(driver, settings)
    options: LogOptions = {
        "driver": "none" if driver == "none" else "json-file",
        "path": str(context.data.log(container.id)),
        "max_size_bytes": chosen.max_size_bytes,
        "max_files": chosen.max_files,
        "compress": chosen.compress,
    }
    if delivers(driver):
        options["cursor"] = str(cursor_of(context.data.log(container.id)))
        options["waits"] = waits(driver, settings)
    if driver == "json-file":
        identity = forward.identity_of(container)
        named = {"tag": identity.tag} if settings.get("tag") else {}
        if given := {**identity.attributes, **named}:
            options["attrs"] = given
    return options


def record_failure(context: Context, container: Container, refusal: Refusal) -> None:
    """Write down why a container did not start, and the exit code that Docker gives for it."""
    status = "exited" if container.state.status == "restarting" else container.state.status
    failed = replace(container.state, status=status, pid=0, exit_code=refusal.exit_code, error=refusal.text)
    container.become(failed)
    context.registry.save(container)
