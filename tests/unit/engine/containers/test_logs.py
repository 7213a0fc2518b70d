from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

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


class Shim:
    """Answers what has been written so far, as it is told."""

    def __init__(self, *answers: bool) -> None:
        self.answers = [*answers]

    async def drain(self) -> bool:
        return self.answers.pop(0)


NOW = "2026-01-01T00:00:10.000000000Z"


def _read_of(path: Path, shim: Shim, started_at: str, before: Callable[[Container], None] = lambda _: None) -> bytes:
    """Read the log of a container that runs, once ``before`` is done while it is waited for."""

    async def read() -> bytes:
        one = container("running")
        one.become(State("running", started_at=started_at))
        one.shim = cast("Any", shim)
        context: Any = SimpleNamespace(
            data=SimpleNamespace(log=lambda _: path), clock=SimpleNamespace(now=lambda: NOW)
        )
        asyncio.get_running_loop().call_later(0.01, before, one)
        async with asyncio.timeout(60):
            return b"".join([chunk async for chunk in await logs.read(context, one, logs.Query())])

    return asyncio.run(read())


def _write(path: Path) -> None:
    path.write_text(json.dumps(LINE) + "\n")


def test_first_output_of_a_container_that_has_just_begun_is_waited_for(tmp_path: Path) -> None:
    path, shim = tmp_path / "log", Shim(False, True)

    assert _read_of(path, shim, NOW, lambda _: _write(path)) == b"last words\n"
    assert shim.answers == []


def test_end_of_a_container_that_writes_nothing_is_enough(tmp_path: Path) -> None:
    def end(one: Container) -> None:
        one.shim = None
        one.become(State("exited"))

    assert _read_of(tmp_path / "log", Shim(False), NOW, end) == b""


@pytest.mark.parametrize("started_at", ["2026-01-01T00:00:09.000000000Z", "2026-01-01T00:00:09.500000000Z"])
def test_a_container_that_has_run_for_a_while_is_read_at_once(tmp_path: Path, started_at: str) -> None:
    shim = Shim(False)

    assert (_read_of(tmp_path / "log", shim, started_at), shim.answers) == (b"", [])


@pytest.mark.parametrize(
    ("started_at", "left_s"),
    [
        (NOW, 0.5),
        ("2026-01-01T00:00:09.800000000Z", 0.3),
        ("2026-01-01T00:00:00.000000000Z", -9.5),
        ("2026-01-01T01:00:00.000000000Z", 0.5),  # the clock has been set back
    ],
)
def test_a_start_is_over_half_a_second_after_it(started_at: str, left_s: float) -> None:
    assert logs.starting_s(started_at, NOW) == pytest.approx(left_s)
