"""The process of a plugin: what it says, and that it is ended with all that was made for it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.engine.plugins import made
from tests.root.wharfd import until

import wharf
from wharf.storage.layout import run_root_of

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


def test_what_a_plugin_says_is_in_the_engines_log(
    on_engine: OnEngine, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "wharf.plugin")

    async def body(engine: wharf.Engine) -> None:
        await engine.plugins.create("keeper", made.chunks(made.archive()))
        await engine.plugins.enable("keeper")
        await engine.volumes.create({"Name": "vol", "Driver": "keeper"})
        (plugin,) = await engine.plugins.list()
        said = f"/VolumeDriver.Create plugin={plugin['Id']}"
        await asyncio.to_thread(until, lambda: said in caplog.text)
        await engine.volumes.remove("vol")
        await engine.plugins.disable("keeper")
        assert [*run_root_of(root).plugins.iterdir()] == []
        assert str(root / "plugins") not in _mounts()
        await engine.plugins.remove("keeper")
        assert os.listdir(root / "plugins") == []

    on_engine(body)


def _mounts() -> str:
    return Path("/proc/self/mountinfo").read_text()
