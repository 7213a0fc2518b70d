"""The output of many containers at once, a whole line at a time, each with whose it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from wharf.client.documents import as_document, number, section, text
from wharf.client.frames import STDOUT, Demultiplexer
from wharf.compose import identity
from wharf.compose.execute.engine import Engine
from wharf.compose.execute.observe import containers
from wharf.compose.plan.observed import Container
from wharf.errors import NotFound, Unavailable, WharfError

_BETWEEN_S = 0.5  # between two looks, so that signals are heard
MAX_LINE = 1 << 20
"""A longer line is shown in pieces of so many bytes."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the logs."""

    since: str = ""  # Unix time, as the API spells it
    until: str = ""
    tail: str = ""
    timestamps: bool = False


Show = Callable[[Container, int, bytes], None]  # whose, the stream, the line without its end


def read_lines(engine: Engine, one: Container, window: Window, *, follow: bool) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, line) of one container's log; with ``follow`` until it ends.

    Raises:
        WharfError: it has gone, or its log driver cannot be read.
    """
    more = {"since": window.since, "until": window.until, "tail": window.tail}
    chunks = engine.containers.logs(
        one.id, follow=follow, timestamps=window.timestamps, **{name: value for name, value in more.items() if value}
    )
    tty = bool(section(engine.containers.inspect(one.id), "Config").get("Tty"))
    frames = Demultiplexer()
    rest: dict[int, bytes] = {}
    for data in chunks:
        for stream, piece in [(STDOUT, data)] if tty else frames.feed(data):
            *lines, rest[stream] = (rest.get(stream, b"") + piece).split(b"\n")
            yield from ((stream, line) for line in lines)
            if len(rest[stream]) > MAX_LINE:
                yield stream, rest.pop(stream)
    yield from ((stream, line) for stream, line in rest.items() if line)


class Follower:
    """Shows what a project's containers write, also of those that start later; tells of their ends."""

    def __init__(
        self, engine: Engine, project: str, show: Show, ended: Callable[[Container, int], None], *,
        timestamps: bool = False,
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            engine: Where.
            project: Whose.
            show: Told of each line; from several threads, one at a time.
            ended: Told of each end and its exit code, after the last line.
            timestamps: Whether lines of those that start later begin with their times.
        """
        self._engine = engine
        self._project = project
        self._show = show
        self._ended = ended
        self._timestamps = timestamps
        self._lock = threading.Lock()
        self._readers: dict[str, threading.Thread] = {}
        self._known: dict[str, Container] = {}
        self._began = time.time()
        self.changed = threading.Condition()
        self.alive: set[str] = set()
        self._lost: WharfError | None = None

    def begin(self, wanted: Callable[[Container], bool]) -> None:
        """Begin to listen for containers that start; ``wanted`` says whose output is shown."""
        threading.Thread(target=self._listen, args=(wanted,), daemon=True).start()

    def follow(self, one: Container, window: Window) -> None:
        """Begin to show one container's output, unless it is shown already."""
        with self._lock:
            self._known[one.id] = one
            reader = self._readers.get(one.id)
            if reader is not None and reader.is_alive():
                return
            reader = threading.Thread(target=self._read, args=(one, window), daemon=True)
            self._readers[one.id] = reader
        with self.changed:
            self.alive.add(one.id)
            self.changed.notify_all()
        reader.start()

    def wait_until_seen(self, identifiers: Iterable[str]) -> None:
        """Wait until the starts of these containers have been heard of.

        Raises:
            WharfError: the engine no longer tells what happens.
        """
        missing = set(identifiers)
        with self.changed:
            while missing - self._known.keys():
                if self._lost is not None:
                    raise self._lost
                self.changed.wait(_BETWEEN_S)

    def wait_for_all(
        self, over: Callable[[], bool] = lambda: False, *, held: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait until none of those that are shown runs and nothing has it ``held``, or it is ``over``.

        Raises:
            WharfError: the engine no longer tells what happens.
        """
        with self.changed:
            while (self.alive or held()) and not over():
                if self._lost is not None:
                    raise self._lost
                self.changed.wait(_BETWEEN_S)

    def wake(self) -> None:
        """Let who waits look again."""
        with self.changed:
            self.changed.notify_all()

    def wait_until_alive(self, running: Callable[[], set[str]]) -> None:
        """Wait until all that are running are shown; ``running`` is asked again, for they may end meanwhile.

        Raises:
            WharfError: the engine no longer tells what happens.
        """
        while running() - self.alive:
            with self.changed:
                if self._lost is not None:
                    raise self._lost
                self.changed.wait(_BETWEEN_S)

    def _read(self, one: Container, window: Window) -> None:
        try:
            for stream, line in read_lines(self._engine, one, window, follow=True):
                with self._lock:
                    self._show(one, stream, line)
        except (WharfError, OSError) as error:
            with self._lock:
                self._show(one, STDOUT, f"(no more output is shown: {error})".encode())

    def _listen(self, wanted: Callable[[Container], bool]) -> None:
        try:
            self._hear(wanted)
        except (WharfError, OSError) as error:
            with self.changed:
                self._lost = error if isinstance(error, WharfError) else Unavailable(str(error))
                self.changed.notify_all()

    def _hear(self, wanted: Callable[[Container], bool]) -> None:
        filters = {"label": [f"{identity.PROJECT}={self._project}"], "type": ["container"], "event": ["start", "die"]}
        for item in self._engine.system.events(since=f"{self._began:.9f}", filters=filters):
            event = as_document(item)
            identifier, action = text(event, "Actor", "ID"), text(event, "Action")
            if action == "start":
                self._started(identifier, number(event, "timeNano"), wanted)
            elif action == "die" and identifier in self._known:
                code = text(event, "Actor", "Attributes", "exitCode")
                self._died(self._known[identifier], int(code) if code.lstrip("-").isdigit() else 0)

    def _started(self, identifier: str, when_ns: int, wanted: Callable[[Container], bool]) -> None:
        found = [one for one in containers(self._engine, self._project, oneoff=None) if one.id == identifier]
        if found and wanted(found[0]):
            since = max(self._began, when_ns / 1e9 - 1) if identifier not in self._known else when_ns / 1e9
            self.follow(found[0], Window(since=f"{since:.9f}", timestamps=self._timestamps))

    def _died(self, one: Container, code: int) -> None:
        reader = self._readers.get(one.id)
        if reader is not None:
            reader.join(10)
        with self._lock:
            self._ended(one, code)
        with self.changed:
            if not self._comes_back(one):
                self.alive.discard(one.id)
            self.changed.notify_all()

    def _comes_back(self, one: Container) -> bool:
        """Return whether the engine starts it again by itself, or has already."""
        try:
            return text(self._engine.containers.inspect(one.id), "State", "Status") in {"restarting", "running"}
        except NotFound:
            return False
