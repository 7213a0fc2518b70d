from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wharf.engine.builds.runner import StepRunner, Streams


class SlowShim:
    """A container that ends only some time after it was killed."""

    def __init__(self) -> None:
        self.exited: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        self.killed = asyncio.Event()
        self.forgotten = False

    async def kill(self, _number: int) -> None:
        self.killed.set()

    def forget(self) -> None:
        assert self.exited.done()
        self.forgotten = True


def test_a_command_has_ended_and_is_forgotten_however_often_its_build_is_cancelled() -> None:
    async def body() -> None:
        shim = SlowShim()

        async def spawn(*_: object) -> SlowShim:
            return shim

        context: Any = SimpleNamespace(
            run=SimpleNamespace(shim=Path, seccomp=Path("/s")),
            processes=SimpleNamespace(spawn=spawn),
            remapping=None,
        )
        step: Any = SimpleNamespace(id="s", folder=Path("/f"), root={})
        spec: Any = {"linux": {"cgroupsPath": "/c"}}

        async def run() -> None:
            async with StepRunner(context)._supervised(step, spec, Streams()):
                await asyncio.Event().wait()

        running = asyncio.create_task(run())
        await asyncio.sleep(0.01)
        running.cancel()
        await shim.killed.wait()
        running.cancel()
        await asyncio.sleep(0.01)
        assert not running.done()
        shim.exited.set_result({"exit_code": 137})
        with pytest.raises(asyncio.CancelledError):
            await running
        assert shim.forgotten

    asyncio.run(body())
