"""Delivers a container's log to where its driver says: from its file, each line at least once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Final, cast

from wharf.engine.containers.record import Container
from wharf.engine.context import Context, log
from wharf.engine.logs.delivery import Delivery, Retry, Terms, Writer
from wharf.engine.logs.identity import DEFAULT_TAG, Identity, attributes, tag
from wharf.engine.logs.options import delivers, is_plugin, most_waiting_bytes, rotation
from wharf.engine.logs.plugin import Info
from wharf.engine.logs.plugin_sink import PluginSink
from wharf.engine.logs.sinks import Sink, require_reachable, sink_of, unreachable
from wharf.engine.plugins.log_drivers import find
from wharf.errors import WharfError
from wharf.lib.durations import parse_duration

_FINISH_S: Final = 10.0  # Docker's own
_STUCK_S: Final = 0.5
_NOT_INITIALIZED: Final = "failed to create task for container: failed to initialize logging driver"


def driver_of(container: Container) -> tuple[str, Mapping[str, str]]:
    """Return a container's log driver and its options."""
    config = container.spec.host_config.get("LogConfig") or {}
    return config.get("Type") or "json-file", config.get("Config") or {}


def identity_of(container: Container) -> Identity:
    """Return a container as its log messages name it."""
    spec = container.spec
    _, options = driver_of(container)
    plain = Identity(
        id=container.id,
        name=container.name,
        image=spec.config.get("Image") or "",
        image_id=container.image_id,
        command=" ".join([spec.path, *spec.args]),
        created_at=container.created_at,
        hostname=socket.gethostname(),
    )
    return Identity(
        plain.id, plain.name, plain.image, plain.image_id, plain.command, plain.created_at, plain.hostname,
        tag=tag(options.get("tag") or DEFAULT_TAG, plain),
        attributes=attributes(options, spec.config.get("Labels") or {}, spec.config.get("Env") or []),
    )  # fmt: skip


def retry_of(driver: str, options: Mapping[str, str]) -> Retry:
    """Return how a driver's options want failures followed. Pure."""
    if driver == "fluentd":
        wait_ns = parse_duration(options.get("fluentd-retry-wait") or "0")
        return Retry(wait_ns / 1e9, int(options.get("fluentd-max-retries") or 0))
    return Retry(float(options.get("gelf-tcp-reconnect-delay") or 0), int(options.get("gelf-tcp-max-reconnect") or 0))


def info_of(container: Container) -> Info:
    """Return what a log plugin is told of a container (moby, ``logger.Info``)."""
    spec, (_, options) = container.spec, driver_of(container)
    return {
        "Config": dict(options),
        "ContainerID": container.id,
        "ContainerName": f"/{container.name}",
        "ContainerEntrypoint": spec.path,
        "ContainerArgs": [*spec.args],
        "ContainerImageID": container.image_id,
        "ContainerImageName": spec.config.get("Image") or "",
        "ContainerCreated": container.created_at,
        "ContainerEnv": [*(spec.config.get("Env") or [])],
        "ContainerLabels": dict(spec.config.get("Labels") or {}),
        "LogPath": "",
        "DaemonName": "docker",
    }


def _sink(context: Context, container: Container) -> Sink:
    driver, options = driver_of(container)
    if not is_plugin(driver):
        return sink_of(driver, identity_of(container), options)
    note = context.data.log(container.id).with_name("log-stream")
    return PluginSink(lambda: find(context, driver), info_of(container), note)


async def require_receiver(context: Context, container: Container) -> None:
    """Fail, as Docker does, when a receiver that must be there at the start is not; a plugin begins to read.

    Raises:
        WharfError: it does not answer, or a plugin refuses.
    """
    driver, options = driver_of(container)
    if not delivers(driver) or options.get("fluentd-async") == "true":
        return
    if is_plugin(driver) and container.delivery is not None and container.delivery.under_way:
        return
    sink = _sink(context, container)
    try:
        if is_plugin(driver):
            await sink.open()
            container.receiver = sink
        else:
            await require_reachable(sink)
    except WharfError as error:
        raise type(error)(f"{_NOT_INITIALIZED}: error creating logger: {error}") from error
    except OSError as error:  # TimeoutError is one
        raise WharfError(f"{_NOT_INITIALIZED}: {unreachable(driver, options, error)}") from error


async def drop_receiver(container: Container) -> None:
    """Let a receiver go that is open for a container that did not start."""
    sink, container.receiver = container.receiver, None
    if sink is not None:
        await sink.end()


def forward(context: Context, container: Container) -> None:
    """Deliver in the background what a container has written and will write, if its driver sends it anywhere."""
    driver, options = driver_of(container)
    if not delivers(driver) or (container.delivery is not None and container.delivery.under_way):
        return
    terms = Terms(retry_of(driver, options), most_waiting_bytes(options), rotation(driver, options).max_files == 1)
    sink, container.receiver = container.receiver or _sink(context, container), None
    delivery = Delivery(context.data.log(container.id), sink, terms, _writer(context, container))
    delivery.task = context.background.start(delivery.run(), f"log {container.id[:12]}")
    container.delivery = delivery


def _writer(context: Context, container: Container) -> Writer:
    def until_ended() -> asyncio.Future[object]:
        return cast("asyncio.Future[object]", container.watch(lambda state: not state.alive))  # only waited for

    def moved_on() -> None:
        if container.shim is not None:
            container.shim.log_delivered()

    return Writer(
        name=lambda: container.name,
        gone=lambda: container.id not in context.registry,
        ended=lambda: not container.state.alive,
        until_ended=until_ended,
        moved_on=moved_on,
    )


async def finish(container: Container) -> None:
    """Wait for what a container that is going has written to be delivered, while that goes on, and not for long.

    A receiver that takes nothing for half a second does not hold a removal up.
    """
    delivery = container.delivery
    if delivery is None or delivery.task is None:
        return
    clock = asyncio.get_running_loop().time
    before, until = -1, clock() + _FINISH_S
    while delivery.under_way and delivery.sent != before and clock() < until:
        before = delivery.sent
        await asyncio.wait({delivery.task}, timeout=_STUCK_S)
    if delivery.under_way:
        log.warning("container %s is removed before all of its log has been delivered", container.name)
        delivery.task.cancel()
