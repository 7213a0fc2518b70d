"""A log plugin that runs by itself: it reads the FIFOs that it is told of."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.plugin import FakePlugin, fake_plugin

from wharf.engine.logs.entries import Entry, Unpacker


class FakeLogPlugin:
    """What it has read, and how it is made to stop reading."""

    def __init__(self, plugin: FakePlugin) -> None:
        self.plugin = plugin
        self.entries: list[Entry] = []
        self.reading = True  # False: streams are opened and not read
        self._ends: dict[str, int] = {}
        self._changed = threading.Condition()

    @property
    def asked(self) -> list[str]:
        """What it was asked, the last words of the paths."""
        return [path.rpartition(".")[2] for path, _ in self.plugin.asked if path.startswith("/LogDriver.")]

    def until(self, *lines: bytes) -> None:
        """Wait until all of ``lines`` have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: {*lines} <= {e.line for e in self.entries}, 60), self.entries

    def crash(self) -> None:
        """Let go of every stream, as a process that ends does."""
        for file in [*self._ends]:
            os.close(self._ends.pop(file))

    def start(self, asked: dict[str, Any]) -> dict[str, Any]:
        file = asked["File"]
        self._ends[file] = os.open(file, os.O_RDONLY)
        if self.reading:
            threading.Thread(target=self._read, args=(os.dup(self._ends[file]), file), daemon=True).start()
        return {}

    def stop(self, asked: dict[str, Any]) -> dict[str, Any]:
        if (fd := self._ends.pop(asked["File"], None)) is None:
            return {"Err": "not logging"}
        os.close(fd)
        return {}

    def _read(self, fd: int, file: str) -> None:
        unpacker = Unpacker()
        with open(fd, "rb", buffering=0) as stream:
            while file in self._ends and (data := stream.read(4096)):
                with self._changed:
                    self.entries += unpacker.feed(data)
                    self._changed.notify_all()


@contextmanager
def fake_log_plugin(path: Path) -> Iterator[FakeLogPlugin]:
    """Yield a log plugin that listens at ``path``."""
    with fake_plugin(path, "LogDriver") as server:
        plugin = FakeLogPlugin(server)
        server.answers |= {"/LogDriver.StartLogging": plugin.start, "/LogDriver.StopLogging": plugin.stop}
        try:
            yield plugin
        finally:
            plugin.crash()
