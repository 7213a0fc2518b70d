from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from tests.fakes.engine import FakeEngine

from wharf.api.server import ApiServer
from wharf.daemon.configuration import Configuration
from wharf.daemon.reload import Reloading
from wharf.engine.options import EngineOptions
from wharf.errors import InvalidArgument


class Recorded:
    """What runs, as far as a reload is concerned."""

    def __init__(self) -> None:
        self.given: list[tuple[EngineOptions, Mapping[str, str]]] = []
        self.refuses = False

    @property
    def protocols(self) -> object:
        return ApiServer(FakeEngine()).protocols

    metrics = protocols

    async def reload(self, options: EngineOptions, attributes: Mapping[str, str]) -> None:
        if self.refuses:
            raise InvalidArgument("unknown log driver")
        self.given.append((options, attributes))


def test_reload_gives_the_engine_what_is_new(caplog: pytest.LogCaptureFixture) -> None:
    running, caplog.handler.level = Recorded(), 0
    caplog.set_level("INFO")
    reloading = Reloading(Configuration({}), lambda: Configuration({"labels": ("a=b",), "data-root": "/b"}))
    asyncio.run(reloading(running))  # type: ignore[arg-type]

    assert running.given == [(EngineOptions(labels=("a=b",)), {"labels": "[a=b]"})]
    assert "these settings need another start: data-root" in caplog.text


def test_reload_that_cannot_be_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def unreadable() -> Configuration:
        raise InvalidArgument("open daemon.json: permission denied")

    running = Recorded()
    asyncio.run(Reloading(Configuration({}), unreadable)(running))  # type: ignore[arg-type]
    running.refuses = True
    reloading = Reloading(Configuration({}), lambda: Configuration({"log-driver": "moon"}))
    asyncio.run(reloading(running))  # type: ignore[arg-type]

    assert running.given == []
    assert "permission denied" in caplog.text
    assert "unknown log driver" in caplog.text
