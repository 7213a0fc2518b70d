"""Waiting until a container is as something needs it: by the engine's events, never by polling."""

from __future__ import annotations

import time
from collections.abc import Iterator

from wharf.client.documents import as_document, number, section, text
from wharf.compose.execute.engine import Engine
from wharf.errors import Conflict, Unavailable

HEALTHY, COMPLETED, RUNNING = "service_healthy", "service_completed_successfully", "running"
_TELLING = ("health_status", "start", "die", "stop", "destroy", "unpause")


def wait_for(engine: Engine, identifier: str, condition: str, deadline: float | None = None) -> None:
    """Wait until a container is healthy, runs (and is healthy where it has a health check), or ended well.

    Args:
        engine: Where it is.
        identifier: Its id.
        condition: ``service_healthy``, ``service_completed_successfully`` or ``running``.
        deadline: When to give up, Unix time in seconds; None: never.

    Raises:
        Conflict: it never will be: it exited, failed, or is unhealthy.
        Unavailable: the time is over.
    """
    began = time.time()
    if _holds(engine, identifier, condition):
        return
    filters = {"container": [identifier], "type": ["container"]}
    until = f"{deadline:.9f}" if deadline is not None else ""
    for event in _told(engine.system.events(since=f"{began:.9f}", until=until, filters=filters)):
        if event.startswith(_TELLING) and _holds(engine, identifier, condition):
            return
    raise Unavailable(f"container {_name(engine, identifier)} is not {condition.removeprefix('service_')} in time")


def _told(events: Iterator[object]) -> Iterator[str]:
    for event in events:
        yield text(as_document(event), "Action")


def _holds(engine: Engine, identifier: str, condition: str) -> bool:
    record = engine.containers.inspect(identifier)
    state, name = section(record, "State"), text(record, "Name").lstrip("/")
    status, code = text(state, "Status"), number(state, "ExitCode")
    ended = status in {"exited", "dead"}
    if condition == COMPLETED:
        if ended and code:
            raise Conflict(f'service "{_service(record)}" didn\'t complete successfully: exit {code}')
        return ended
    if ended:
        raise Conflict(f"container {name} exited ({code})")
    health = text(state, "Health", "Status") if isinstance(state.get("Health"), dict) else ""
    if health == "unhealthy":
        raise Conflict(f"container {name} is unhealthy")
    if health in {"", "none"}:
        if condition == HEALTHY and status == "running":
            raise Conflict(f"container {name} has no healthcheck configured")
        return status == "running"
    return health == "healthy"


def _service(record: dict[str, object]) -> str:
    return text(record, "Config", "Labels", "com.docker.compose.service")


def _name(engine: Engine, identifier: str) -> str:
    return text(engine.containers.inspect(identifier), "Name").lstrip("/")
