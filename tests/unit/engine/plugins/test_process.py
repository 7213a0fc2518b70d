from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engine.ocispec.test_plugin import FACTS

from wharf.engine.context import Background
from wharf.engine.plugins.config import defaults, read_config
from wharf.engine.plugins.process import PluginProcess
from wharf.engine.plugins.record import PluginRecord
from wharf.kernel import unix_socket
from wharf.lib.digest import digest_of
from wharf.storage.layout import DataRoot, RunRoot


class _Shim:
    """A process that ends when it is told to."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.exited, self.released = loop.create_future(), loop.create_future()
        self.released.set_result(None)

    async def kill(self, _: int) -> None:
        if not self.exited.done():
            self.exited.set_result({"exit_code": 0})

    def forget(self) -> None:
        pass


class _Plugin:
    """A plugin whose processes are shims of ours, which listen when they are started."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        config = read_config(json.dumps({"entrypoint": ["/a"], "interface": {"socket": "a.sock"}}).encode())
        self.record = PluginRecord("1" * 64, "a:latest", "a:latest", digest_of(b""), config, defaults(config))
        self.data, self.run = DataRoot(root / "data"), RunRoot(root / "run")
        self.data.path.mkdir()
        self.facts, self.background, self.processes = FACTS, Background(), self
        self.stack, self.shims, self.found = stack, list[_Shim](), list[list[str]]()
        self.spawning: Callable[[], None] = lambda: None
        self.crowd = 0

    @property
    def sockets(self) -> Path:
        return self.run.plugin(self.record.id) / "sockets"

    async def spawn(self, *_: object) -> _Shim:
        self.found.append(os.listdir(self.sockets))
        self.spawning()
        listener = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        unix_socket.at(str(self.sockets / "a.sock"), listener.bind)
        listener.listen(0)
        for _each in range(self.crowd):
            with suppress(BlockingIOError):
                client = self.stack.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                unix_socket.at(str(self.sockets / "a.sock"), client.connect)
        self.shims.append(_Shim())
        return self.shims[-1]


@pytest.fixture
def plugin(tmp_path: Path) -> Any:
    with ExitStack() as stack:
        yield _Plugin(tmp_path, stack)


def _litter(plugin: _Plugin) -> None:
    (plugin.sockets / "folder/in/it").mkdir(parents=True)
    (plugin.sockets / "folder/file").write_text("")
    (plugin.sockets / "link").symlink_to("/usr")


def test_what_a_plugin_puts_beside_its_socket_is_gone_when_it_starts_and_when_it_has_ended(
    plugin: _Plugin,
) -> None:
    async def run() -> None:
        process = PluginProcess(plugin, plugin.record)  # type: ignore[arg-type]  # as much of a context as it uses
        plugin.sockets.mkdir(parents=True)
        _litter(plugin)
        await process.start(1)
        _litter(plugin)
        await process.stop()

    asyncio.run(run())

    assert plugin.found == [[]]
    assert os.listdir(plugin.run.plugins) == []


def test_a_plugin_that_cannot_be_started_again_for_now_is_tried_again(
    plugin: _Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        plugin.spawning = lambda: None
        raise OSError(28, "No space left on device")

    async def run() -> None:
        process = PluginProcess(plugin, plugin.record)  # type: ignore[arg-type]  # likewise
        await process.start(1)
        plugin.spawning = full
        await plugin.shims[0].kill(9)
        async with asyncio.timeout(10):
            while len(plugin.shims) < 2:  # noqa: ASYNC110  # what is waited for is not ours to signal
                await asyncio.sleep(0.01)
        await process.stop()

    with caplog.at_level(logging.ERROR, "wharf.plugin"):
        asyncio.run(run())

    assert "plugin a:latest does not start again: [Errno 28] No space left on device" in caplog.text


def test_a_plugin_with_more_clients_than_it_takes_listens_and_holds_nobody_up(plugin: _Plugin) -> None:
    async def run() -> None:
        plugin.crowd = 3
        process = PluginProcess(plugin, plugin.record)  # type: ignore[arg-type]  # likewise
        await process.start(1)
        await process.stop()

    asyncio.run(run())

    assert len(plugin.shims) == 1
