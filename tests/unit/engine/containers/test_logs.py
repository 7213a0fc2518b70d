from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wharf.engine.containers import logs
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import State

LINE: logs.Line = {"log": "last words\n", "stream": "stdout", "time": "2026-01-01T00:00:00.000000000Z"}


def container(status: Any) -> Container:
    spec = Specification(config={"Tty": True}, host_config={}, networking={}, mounts=[], path="true", args=[])
    return Container("c1", "web", "", "", "", spec, State(status))


def test_follower_of_a_container_that_ends_while_its_log_is_read_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def follow() -> list[bytes]:
        loop, one = asyncio.get_running_loop(), container("running")
        looks = iter([[], [], [LINE], []])

        class Tail:
            """Reads what is there; the container ends, and writes once more, while it looks a second time."""

            def __init__(self, path: Path) -> None:
                self.looked = 0

            def lines(self) -> list[logs.Line]:
                self.looked += 1
                if self.looked == 2:
                    loop.call_soon_threadsafe(one.become, State("exited"))
                return next(looks)

            def close(self) -> None:
                pass

        monkeypatch.setattr(logs, "LogTail", Tail)
        context: Any = SimpleNamespace(data=SimpleNamespace(log=lambda _: tmp_path / "log"))
        async with asyncio.timeout(60):
            return [chunk async for chunk in await logs.read(context, one, logs.Query(follow=True))]

    assert asyncio.run(follow()) == [b"last words\n"]
