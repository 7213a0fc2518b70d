"""Delivers a container's log to where its driver says: from its file, each line at least once."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from wharf.engine.containers.record import Container
from wharf.engine.context import Context, log
from wharf.engine.logs.formats import Message
from wharf.engine.logs.identity import DEFAULT_TAG, Identity, attributes, tag
from wharf.engine.logs.options import delivers, is_plugin
from wharf.engine.logs.plugin import Info
from wharf.engine.logs.plugin_sink import PluginSink
from wharf.engine.logs.sinks import Sink, require_reachable, sink_of
from wharf.engine.logs.tail import Growth, Line, LogTail, Position
from wharf.engine.plugins.log_drivers import find
from wharf.errors import WharfError
from wharf.lib.durations import parse_duration
from wharf.lib.moments import to_ns

_FINISH_S: Final = 5.0
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0


class Retry(NamedTuple):
    """What follows a failure: how long to wait, and how often to try; 0 for ever, with ever longer waits."""

    wait_s: float = 0.0
    most: int = 0

    def next_wait_s(self, attempt: int) -> float:
        """Return the seconds to wait after the attempt of that number, from 1."""
        return self.wait_s or min(_FIRST_WAIT_S * 2 ** min(attempt - 1, 10), _LONGEST_WAIT_S)


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
    if is_plugin(driver) and container.forwarding is not None and not container.forwarding.done():
        return
    sink = _sink(context, container)
    try:
        if is_plugin(driver):
            await sink.open()
            container.receiver = sink
        else:
            await require_reachable(sink)
    except WharfError as error:
        raise type(error)(f"failed to initialize logging driver: error creating logger: {error}") from error
    except (OSError, TimeoutError) as error:
        number = getattr(error, "errno", None)
        why = os.strerror(number).lower() if number and number > 0 else str(error) or "timed out"
        raise WharfError(f"failed to initialize logging driver: {driver}: {why}") from error


async def drop_receiver(container: Container) -> None:
    """Let a receiver go that is open for a container that did not start."""
    sink, container.receiver = container.receiver, None
    if sink is not None:
        await sink.end()


def forward(context: Context, container: Container) -> None:
    """Deliver in the background what a container has written and will write, if its driver sends it anywhere."""
    driver, options = driver_of(container)
    if delivers(driver) and (container.forwarding is None or container.forwarding.done()):
        sink, container.receiver = container.receiver or _sink(context, container), None
        work = _deliver(context, container, sink, retry_of(driver, options))
        container.forwarding = context.background.start(work, f"log {container.id[:12]}")


async def finish(container: Container) -> None:
    """Wait a while for what a container that is going has written to be delivered."""
    if container.forwarding is not None:
        await asyncio.wait({container.forwarding}, timeout=_FINISH_S)
        container.forwarding.cancel()


async def _deliver(context: Context, container: Container, sink: Sink, retry: Retry) -> None:
    path = context.data.log(container.id)
    cursor = path.with_name("log-cursor")
    tail = await asyncio.to_thread(LogTail, path, _load(cursor))
    try:
        with Growth(path.parent) as growth:
            while container.id in context.registry:
                ended = not container.state.alive
                lines = await asyncio.to_thread(tail.lines)
                for line in lines:
                    await _send(container, sink, line, retry)
                if lines:
                    await asyncio.to_thread(_save, cursor, tail.position)
                elif ended:
                    await _persist(container, sink.flush, retry)
                    return
                else:
                    watching = container.watch(lambda state: not state.alive)
                    await growth.wait(watching)  # type: ignore[arg-type]  # a future is read here, not written
                    watching.cancel()
    finally:
        tail.close()
        await sink.end()


async def _send(container: Container, sink: Sink, line: Line, retry: Retry) -> None:
    text = line["log"]
    whole = text.removesuffix("\n")
    message = Message(whole, line["stream"], to_ns(line["time"]), partial=whole == text)
    await _persist(container, lambda: sink.send(message), retry)


async def _persist(container: Container, work: Callable[[], Awaitable[None]], retry: Retry) -> None:
    attempt = 0
    while True:
        attempt += 1
        try:
            await work()
        except (OSError, TimeoutError, WharfError) as error:
            if attempt == 1:
                log.warning("the log of container %s cannot be delivered: %s", container.name, error)
            if retry.most and attempt > retry.most:
                return
            await asyncio.sleep(retry.next_wait_s(attempt))
        else:
            return


def _load(path: Path) -> Position | None:
    try:
        inode, offset = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return Position(int(inode), int(offset))


def _save(path: Path, position: Position | None) -> None:
    if position is not None and path.parent.exists():
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(position))
        os.replace(temporary, path)
