"""Metrics plugins: they read figures where they are told, of each daemon, and again when they were started anew."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.root.engine.plugins import made
from tests.root.wharfd import until

import wharf
from wharf.daemon.serve import Options
from wharf.daemon.wiring import api_on_engine
from wharf.errors import InvalidArgument

pytestmark = pytest.mark.root

_TYPES = {"types": ["docker.metricscollector/1.0"], "socket": "keeper.sock"}


def test_a_metrics_plugin_reads_figures_from_each_daemon_until_it_is_told_of_the_end(root: Path) -> None:
    async def first() -> Path:
        async with api_on_engine(Options(root, ())) as served:
            plugins = served.engine.plugins
            await plugins.create("blind", made.chunks(made.archive(made.config(interface=_TYPES))))
            with pytest.raises(InvalidArgument, match="PropagatedMount must be /run/docker"):
                await plugins.enable("blind")
            await plugins.remove("blind")
            config = made.config(interface=_TYPES, propagatedmount="/run/docker")
            await plugins.create("figures", made.chunks(made.archive(config)))
            await plugins.enable("figures")
            (plugin,) = await plugins.list()
            shared = root / "plugins" / plugin["Id"] / "propagated-mount"
            assert "engine_daemon_engine_info{" in (shared / "figures").read_text()
            (shared / "figures").unlink()
            os.kill(made.running(root)[0], signal.SIGKILL)
            await asyncio.to_thread(until, (shared / "figures").exists)
            return shared

    async def second(shared: Path) -> None:
        assert (shared / "stopped").exists()
        assert not (shared / "metrics.sock").exists()
        (shared / "metrics.sock").symlink_to("/etc/passwd")  # what a plugin may have put there
        async with api_on_engine(Options(root, ())) as served:
            assert (shared / "metrics.sock").is_socket()
            assert (shared / "figures").exists()
            await served.engine.plugins.disable("figures")
            assert not (shared / "metrics.sock").exists()

    async def third() -> None:
        async with wharf.Engine(root) as engine:  # nobody serves figures here
            await engine.plugins.enable("figures")
            await engine.plugins.remove("figures", force=True)

    asyncio.run(second(asyncio.run(first())))
    asyncio.run(third())
