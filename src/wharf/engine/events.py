"""Events: published by the verbs, kept in the database, streamed to who asks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import msgspec

from wharf.spec.engine_api.system import EventMessage
from wharf.storage.metadata import Database

KEPT: Final = 10_000
"""Events that stay in the database; older ones go, in batches."""
_BATCH: Final = 1_000
_BACKLOG: Final = 4_096
"""Events a slow subscriber may lag behind before it is cut off: a reader never holds up a container."""

_ACTORS: Final = frozenset(
    {"config", "container", "daemon", "network", "node", "plugin", "secret", "service", "volume"}
)
FILTERS: Final = frozenset({*_ACTORS, "event", "image", "label", "scope", "type"})


class Events:
    """The engine's event log and its subscribers."""

    def __init__(self, database: Database, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._clock_ns = clock_ns
        self._subscribers: set[asyncio.Queue[EventMessage | None]] = set()
        self._since_trim = 0
        self.published = 0
        """How many there were, of this engine."""

    def publish(self, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
        """Record that ``action`` happened to ``actor`` and tell the subscribers."""
        self.published += 1
        now_ns = self._clock_ns()
        event: EventMessage = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": actor, "Attributes": dict(attributes)},
            "scope": "local",
            "time": now_ns // 1_000_000_000,
            "timeNano": now_ns,
        }
        with self._database.transaction() as db:
            document = msgspec.json.encode(event).decode()
            db.execute("INSERT INTO events (time_ns, document) VALUES (?, ?)", (now_ns, document))
            self._trim()
        for queue in list(self._subscribers):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._subscribers.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)

    def _trim(self) -> None:
        self._since_trim += 1
        if self._since_trim < _BATCH:
            return
        self._since_trim = 0
        self._database.connection.execute(
            "DELETE FROM events WHERE time_ns <= (SELECT time_ns FROM events ORDER BY time_ns DESC LIMIT 1 OFFSET ?)",
            (KEPT,),
        )

    @property
    def listeners(self) -> int:
        """How many subscribers there are."""
        return len(self._subscribers)

    def close(self) -> None:
        """End every subscription."""
        for queue in list(self._subscribers):
            self._subscribers.discard(queue)
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def subscribe(
        self, *, since_ns: int | None, until_ns: int | None, filters: Mapping[str, list[str]]
    ) -> AsyncIterator[EventMessage]:
        """Yield the events from ``since_ns`` (the future alone when None) until ``until_ns`` (for ever when None)."""
        queue: asyncio.Queue[EventMessage | None] = asyncio.Queue(_BACKLOG)
        self._subscribers.add(queue)
        try:
            last_ns = 0
            for event in self._past(since_ns, until_ns):
                last_ns = event.get("timeNano") or 0
                if matches(event, filters):
                    yield event
            while (next_event := await self._next(queue, until_ns)) is not None:
                if (next_event.get("timeNano") or 0) > last_ns and matches(next_event, filters):
                    yield next_event
        finally:
            self._subscribers.discard(queue)

    async def _next(self, queue: asyncio.Queue[EventMessage | None], until_ns: int | None) -> EventMessage | None:
        if until_ns is None:
            return await queue.get()
        left_s = (until_ns - self._clock_ns()) / 1e9
        if left_s <= 0:
            return None
        try:
            async with asyncio.timeout(left_s):
                return await queue.get()
        except TimeoutError:
            return None

    def _past(self, since_ns: int | None, until_ns: int | None) -> list[EventMessage]:
        if since_ns is None:
            return []
        rows = self._database.query(
            "SELECT document FROM events WHERE time_ns >= ? AND time_ns <= ? ORDER BY time_ns",
            (since_ns, until_ns if until_ns is not None else self._clock_ns()),
        )
        return [json.loads(str(document)) for (document,) in rows]


def matches(event: EventMessage, filters: Mapping[str, list[str]]) -> bool:
    """Return whether ``event`` passes ``filters`` (docker events --filter): any value of each key. Pure."""
    actor = event.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    for key, values in filters.items():
        if key == "label":
            if not all(_label(attributes, v) for v in values):
                return False
        elif not any(_passes(event, actor.get("ID") or "", attributes, key, v) for v in values):
            return False
    return True


def _passes(event: EventMessage, actor: str, attributes: Mapping[str, str], key: str, value: str) -> bool:
    if key in _ACTORS:  # the start of an id or a name will do
        return event.get("Type") == key and (actor.startswith(value) or attributes.get("name", "").startswith(value))
    if key == "image":
        name = attributes.get("name" if event.get("Type") == "image" else "image", "")
        return value in (actor, name, _without_tag(actor), _without_tag(name))
    return _field(event, key, value)


def _without_tag(name: str) -> str:
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def _label(attributes: Mapping[str, str], value: str) -> bool:
    key, equals, wanted = value.partition("=")
    return key in attributes and (not equals or attributes[key] == wanted)


def _field(event: EventMessage, key: str, value: str) -> bool:
    match key:
        case "event":
            action = event.get("Action") or ""
            return action == value or action.startswith(f"{value}:")
        case "type":
            return event.get("Type") == value
        case "scope":
            return event.get("scope") == value
        case _:
            return False
