from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from wharf.processes.processes import Processes
from wharf.storage.layout import RunRoot


class Shim:
    """A shim whose container begins at no time, and that writes into its folder until it has released it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.released: asyncio.Future[None] = loop.create_future()
        self.killed = asyncio.Event()

    async def begun(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def kill(self, _: int) -> None:
        self.killed.set()


async def _cancelled(tmp_path: Path, shim: Shim, folder: Path) -> asyncio.Task[Any]:
    """Return a start that is cancelled while the container is not yet there."""
    starting = asyncio.create_task(Processes(RunRoot(tmp_path))._begun(shim, folder))  # type: ignore[arg-type]  # a fake
    await asyncio.sleep(0)
    starting.cancel()
    await shim.killed.wait()
    return starting


def test_a_cancelled_start_leaves_a_shim_its_folder_until_it_has_released_it(tmp_path: Path) -> None:
    folder = tmp_path / "shim"
    folder.mkdir()

    async def main() -> None:
        shim = Shim()
        starting = await _cancelled(tmp_path, shim, folder)
        shim.exited.set_result(None)
        await asyncio.sleep(0)
        (folder / "exit.json").touch()
        shim.released.set_result(None)
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(main())

    assert not folder.exists()


def test_a_cancelled_start_is_cancelled_also_when_what_it_made_cannot_be_removed(tmp_path: Path) -> None:
    folder = tmp_path / "no folder"
    folder.touch()

    async def main() -> None:
        shim = Shim()
        starting = await _cancelled(tmp_path, shim, folder)
        shim.exited.set_result(None)
        shim.released.set_result(None)
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(main())
